/**
 * Debian's Chromium without a window, led over the DevTools protocol by a few lines on Node's own WebSocket: pages, what
 * scripts in them answer, and authenticators that the browser itself plays (domain WebAuthn).
 * Effects: starts and ends a browser, loopback.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { atEnd } from './at-end.ts';
import { eventually, PATIENCE_MS } from './eventually.ts';
import { temporaryFolder } from './gateway.ts';

const ARGUMENTS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
  // It shall talk to nobody but the pages of the test.
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-pings'],
  ...['--disable-default-apps', '--disable-extensions', '--metrics-recording-only', '--password-store=basic'],
  ...['--remote-debugging-port=0', '--host-resolver-rules=MAP * 127.0.0.1'],
];

type Message = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly sessionId?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
};

export class Chromium {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (message: Message) => void>();
  #sent = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const message = JSON.parse(String(data)) as Message;
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
    });
  }

  /** `trusts`: SHA-256 of the public keys (base64) of certificates that need no authority. */
  static async start(trusts: readonly string[]): Promise<Chromium> {
    const folder = temporaryFolder();
    const pins = `--ignore-certificate-errors-spki-list=${trusts.join(',')}`;
    const child = spawn('chromium', [...ARGUMENTS, pins, `--user-data-dir=${folder}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      env: { ...process.env, HOME: folder },
    });
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
    atEnd(async () => {
      endGroup(child);
      await closed;
    });
    const socket = new WebSocket(await debuggerOf(child));
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', reject, { once: true });
    });
    return new Chromium(socket);
  }

  async send(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.#sent;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    const { result = {}, error } = await answer;
    this.#waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async page(url: string): Promise<Page> {
    const { browserContextId } = await this.send('Target.createBrowserContext');
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank', browserContextId });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page(this, String(sessionId));
    // The API's answers allow no script to do anything; the scripts of the test shall.
    await page.send('Page.setBypassCSP', { enabled: true });
    await page.go(url);
    return page;
  }
}

/** A tab of its own, with cookies of its own. */
export class Page {
  readonly #browser: Chromium;
  readonly #session: string;

  constructor(browser: Chromium, session: string) {
    this.#browser = browser;
    this.#session = session;
  }

  send(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return this.#browser.send(method, params, this.#session);
  }

  async go(url: string): Promise<void> {
    const { errorText } = await this.send('Page.navigate', { url });
    if (errorText !== undefined) throw new Error(`${url}: ${JSON.stringify(errorText)}`);
    // The document of before answers until the new one is there, or nobody while one takes the other's place.
    await eventually(async () => {
      const loaded = await this.run('location.href + " " + document.readyState').catch(String);
      assert.equal(loaded, `${url} complete`);
    });
  }

  /** What the expression, or the promise that it is, comes to; its exception is one here. */
  async run(expression: string): Promise<unknown> {
    const answer = await this.send('Runtime.evaluate', {
      expression,
      ...{ awaitPromise: true, returnByValue: true, userGesture: true },
    });
    const { exceptionDetails, result } = answer as {
      exceptionDetails?: { exception?: { description?: string } };
      result?: { value?: unknown };
    };
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.exception?.description ?? 'a script failed');
    return result?.value;
  }

  /** An authenticator in the machine, with a finger on it; its id. */
  async addAuthenticator(options: Record<string, unknown> = {}): Promise<string> {
    await this.send('WebAuthn.enable');
    const { authenticatorId } = await this.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        ...{ protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true },
        ...{ isUserVerified: true, automaticPresenceSimulation: true, ...options },
      },
    });
    return String(authenticatorId);
  }
}

/** The browser has children of its own. */
function endGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function debuggerOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`the browser did not start: ${text}`)), PATIENCE_MS);
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`the browser ended with ${code}: ${text}`)));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text = (text + chunk).slice(-10_000);
      const url = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}
