/**
 * `suspend`, `suspendlistener`, `suspenddel` and their `resume`: receiving and delivery of the running gateway, over
 * restarts. Deviates: AsyncOS closes connections abruptly after the seconds it asks for; here they are the time that the
 * command waits for connections to end, and what is under way then still ends by itself, because a transaction that is cut
 * at its end may deliver a message twice. Effects: the control socket, standard output, a timer.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { RouteOutput } from '../admin/route.ts';
import type { Api } from '../admin/routes.ts';
import { counted } from '../core/counted.ts';
import type { WhichListeners } from '../core/suspension.ts';
import { UsageError, type Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { runOperation, said, type OnGateway } from './on-gateway.io.ts';
import { line, type Understood } from './question.ts';
import type { StatusShown } from './queue-view.ts';

const WAIT_SECONDS = 30;
const LOOK_MS = 500;
const WAIT_TEXT = '\nEnter the number of seconds to wait for connections to end.';

type Suspension = RouteOutput<Api['POST /api/suspend']>;
type What = { readonly listeners?: WhichListeners; readonly delivery?: true };
type Kind = 'both' | 'listeners' | 'delivery';
const USAGE = {
  both: '',
  listeners: ' [LISTENER... | --all]',
  delivery: '',
} as const;
const SUFFIX = { both: '', listeners: 'listener', delivery: 'del' } as const;
const MOST_LISTENERS = 256;

const suspending =
  (kind: Kind) =>
  (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
    runOperation(
      {
        usage: `suspend${SUFFIX[kind]}${USAGE[kind]} [--wait SECONDS] [--reason TEXT]`,
        options: ['wait', 'reason'],
        ...(kind === 'listeners' ? { flags: ['all'], most: MOST_LISTENERS } : {}),
        least: 0,
        async run(on, { rest, options, flags }) {
          const asked = args.every(
            (arg, i) => arg === '--data' || args[i - 1] === '--data' || arg.startsWith('--data='),
          );
          const what = await whatOf(on, kind, { names: rest, all: flags.has('all'), verb: 'suspend' });
          if (what === undefined) return 1;
          const seconds = await secondsOf(on, options['wait'], asked);
          const reason = options['reason'];
          const body = { ...bodyOf(what), ...(reason === undefined ? {} : { reason }) };
          const answer = await on.api.call('POST /api/suspend', { body });
          if (!answer.ok || on.json) return said(on, answer, () => '');
          return await ending(on, what, seconds);
        },
      },
      args,
      write,
      context,
    );

export const suspend = suspending('both');
export const suspendListener = suspending('listeners');
export const suspendDelivery = suspending('delivery');

const resuming =
  (kind: Kind) =>
  (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
    runOperation(
      {
        usage: `resume${SUFFIX[kind]}${USAGE[kind]}`,
        ...(kind === 'listeners' ? { flags: ['all'], most: MOST_LISTENERS } : {}),
        least: 0,
        async run(on, { rest, flags }) {
          const what = await whatOf(on, kind, { names: rest, all: flags.has('all'), verb: 'resume' });
          if (what === undefined) return 1;
          const answer = await on.api.call('POST /api/resume', { body: bodyOf(what) });
          return said(on, answer, (body) => resumedText(what, body));
        },
      },
      args,
      write,
      context,
    );

export const resume = resuming('both');
export const resumeListener = resuming('listeners');
export const resumeDelivery = resuming('delivery');

const bodyOf = ({ listeners, delivery }: What) => ({
  ...(listeners === undefined ? {} : { listeners: listeners === 'all' ? listeners : [...listeners] }),
  ...(delivery === undefined ? {} : { delivery }),
});

type Asked = { readonly names: readonly string[]; readonly all: boolean; readonly verb: 'suspend' | 'resume' };

async function whatOf(on: OnGateway, kind: Kind, { names, all, verb }: Asked): Promise<What | undefined> {
  if (kind === 'both') return { listeners: 'all', delivery: true };
  if (kind === 'delivery') return { delivery: true };
  if (all && names.length > 0) throw new UsageError('--all, or names of listeners');
  if (all) return { listeners: 'all' };
  if (names.length > 0) return { listeners: names };
  const status = await on.api.call('GET /api/status');
  if (status.ok) return { listeners: await askListeners(on, status.body, verb) };
  said(on, status, () => '');
  return undefined;
}

/** As AsyncOS asks: numbers, with commas between. */
async function askListeners(
  { dialogue }: OnGateway,
  { listeners }: StatusShown,
  verb: 'suspend' | 'resume',
): Promise<WhichListeners> {
  const labels = [
    'All',
    ...listeners.map(({ name, suspended }) => `${name}${suspended === undefined ? '' : ' (suspended)'}`),
  ];
  const rows = labels.map((label, i) => `${i + 1}. ${label}`).join('\n');
  return await dialogue.ask(
    line<WhichListeners>({
      text: `Choose the listener(s) you wish to ${verb}.\nSeparate multiple entries with commas.\n${rows}`,
      preset: '1',
      read: (text) => chosenListeners(text, listeners),
    }),
  );
}

function chosenListeners(text: string, listeners: StatusShown['listeners']): Understood<WhichListeners> {
  const names: string[] = [];
  for (const entry of text.split(',').map((each) => each.trim())) {
    if (entry === '1' || entry.toLowerCase() === 'all') return { ok: true, value: 'all' };
    const named = listeners.find(({ name }) => name === entry);
    const found = named ?? (/^\d{1,4}$/.test(entry) ? listeners[Number(entry) - 2] : undefined);
    if (found === undefined)
      return { ok: false, why: `Enter numbers from 1 to ${listeners.length + 1}, separated by commas.` };
    names.push(found.name);
  }
  return { ok: true, value: names };
}

async function secondsOf(on: OnGateway, given: string | undefined, ask: boolean): Promise<number> {
  if (given !== undefined) {
    const seconds = readSeconds(given);
    if (!seconds.ok) throw new UsageError(seconds.why);
    return seconds.value;
  }
  if (!ask) return 0;
  return await on.dialogue.ask(line({ text: WAIT_TEXT, preset: String(WAIT_SECONDS), read: readSeconds }));
}

const readSeconds = (text: string): Understood<number> =>
  /^\d{1,5}$/.test(text) ? { ok: true, value: Number(text) } : { ok: false, why: 'Enter a number of seconds.' };

/** Waits for what is under way, and says what still is. */
async function ending({ api, write }: OnGateway, { listeners, delivery }: What, seconds: number): Promise<number> {
  const concerns = (name: string): boolean => listeners === 'all' || listeners?.includes(name) === true;
  if (listeners !== undefined) write('\nWaiting for listeners to exit...\n');
  if (delivery === true) write('Waiting for outgoing deliveries to finish...\n');
  for (let leftMs = seconds * 1000; ; leftMs -= LOOK_MS) {
    const answer = await api.call('GET /api/status');
    if (!answer.ok) return 1;
    const open = answer.body.listeners.filter(({ name, connections }) => concerns(name) && connections > 0);
    const out = delivery === true ? (answer.body.delivery?.connections ?? 0) : 0;
    if (leftMs > 0 && (open.length > 0 || out > 0)) {
      await wait(LOOK_MS);
      continue;
    }
    for (const { name, suspended, connections } of answer.body.listeners)
      if (suspended !== undefined && concerns(name))
        write(
          `Receiving suspended for ${name}.${connections > 0 ? ` ${counted(connections, 'session')} may finish the transaction under way.` : ''}\n`,
        );
    if (delivery === true)
      write(
        `Mail delivery suspended.${out > 0 ? ` ${counted(out, 'connection')} may finish the message under way.` : ''}\n`,
      );
    return 0;
  }
}

function resumedText({ listeners, delivery }: What, { systemStatus }: Suspension): string {
  const which = listeners === undefined || listeners === 'all' ? '' : ` for ${listeners.join(', ')}`;
  const lines = [
    ...(listeners === undefined ? [] : [`Receiving resumed${which}.`]),
    ...(delivery === undefined ? [] : ['Mail delivery resumed.']),
    `System status: ${systemStatus}`,
  ];
  return `${lines.join('\n')}\n`;
}
