/**
 * The configuration store on a real database in a folder of its own, as the command line opens it where no gateway runs:
 * a commit is checked and written down, and nothing is built. Effects: files in a temporary folder.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { checkDocument } from '../../src/config/load.io.ts';
import { CommittedConfiguration } from '../../src/config/committed-configuration.io.ts';
import type { ConfigurationPorts } from '../../src/config/configuration-ports.ts';
import {
  type Administrator,
  type Answer,
  type Json,
  type Refusal,
  type RevisionInfo,
} from '../../src/config/configuration-store.ts';
import { locateFaults, readDocument, writeDocument } from '../../src/config/document-text.io.ts';
import { StoreVault } from '../../src/config/store-vault.io.ts';

export const ANN: Administrator = { name: 'ann', session: 'ann-1' };
export const BOB: Administrator = { name: 'bob', session: 'bob-1' };
export const FIRST: Json = {
  hostname: 'gw.example.test',
  listeners: {
    in: {
      type: 'private',
      address: ['127.0.0.1:2525'],
      hat: [
        { senderGroup: 'RELAYLIST', senders: ['127.0.0.1'], policy: 'RELAYED' },
        { senderGroup: 'ALL', policy: 'BLOCKED' },
      ],
    },
  },
  ldap: { servers: { corp: { hosts: ['ldap://127.0.0.1'], bind: { dn: 'cn=gw', password: 'hunter2' } } } },
};

export type Opened = {
  readonly store: CommittedConfiguration;
  readonly folder: string;
  readonly built: number[];
  readonly committed: RevisionInfo[];
  /** What building the next revision fails with. */
  failure: string | undefined;
  nowMs: number;
};

export function open(t: TestContext, folder = mkdtempSync(path.join(tmpdir(), 'sallyport-store-'))): Opened {
  const vault = StoreVault.open({ dataDir: folder });
  const opened = {
    folder,
    built: [] as number[],
    committed: [] as RevisionInfo[],
    failure: undefined,
    nowMs: Date.now(),
  };
  const self = opened as unknown as { -readonly [K in keyof Opened]: Opened[K] };
  const ports: ConfigurationPorts = {
    now: () => self.nowMs,
    texts: { read: readDocument, write: writeDocument, locate: async (request) => locateFaults(request) },
    check: async (document, number) => {
      const loaded = checkDocument(document, [], self.nowMs);
      if (!loaded.ok) return { ok: false, found: loaded.faults };
      const { config, material, warnings } = loaded;
      return { ok: true, document, revision: { number, config, material }, found: warnings };
    },
    apply: async ({ number }, _warnings, record) => {
      if (self.failure !== undefined) throw new Error(self.failure);
      record();
      self.built.push(number);
    },
    running: () => undefined,
    committed: (revision) => self.committed.push(revision),
    note: () => undefined,
  };
  self.store = new CommittedConfiguration(vault, ports);
  t.after(async () => {
    await self.store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return self;
}

export async function openWithFirst(t: TestContext): Promise<Opened> {
  const opened = open(t);
  good(await opened.store.load(ANN, { document: FIRST }));
  good(await opened.store.commit(ANN, { comment: 'first' }));
  return opened;
}

export function good<T>(answer: Answer<T>): T {
  assert.ok(answer.ok, answer.ok ? '' : JSON.stringify(answer.refusal));
  return answer;
}

export function refused<T, Kind extends Refusal['kind']>(
  answer: Answer<T>,
  kind: Kind,
): Extract<Refusal, { kind: Kind }> {
  assert.ok(!answer.ok, 'it was not refused');
  assert.equal(answer.refusal.kind, kind, answer.refusal.why);
  return answer.refusal as Extract<Refusal, { kind: Kind }>;
}

export const valueAt = async ({ store }: Opened, ...at: (string | number)[]): Promise<unknown> =>
  good(await store.document('running', at)).value;
export const set = (at: string, value: Json) => ({ op: 'set', path: at.split('.'), value }) as const;
