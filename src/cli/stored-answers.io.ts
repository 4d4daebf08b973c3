/**
 * Questions why, where no gateway runs: the code that would answer them there answers them here, on the configuration in the
 * store of the data folder. Nothing is written. Effects: the store's database, the history file, directories, responders,
 * revocation lists.
 */
import { existsSync } from 'node:fs';
import type { ApiAnswer } from '../admin/api-client.io.ts';
import type { Explanations } from '../admin/explanations.ts';
import { problemError } from '../admin/problem.ts';
import type { Answer, Refusal, Which } from '../config/configuration-store.ts';
import { storeFile } from '../config/store-database.io.ts';
import { parseFaultPath } from '../core/fault-path.ts';
import { systemClock } from '../core/system-clock.io.ts';
import { type ExplanationParts, explanationsOf } from '../explain/explanations.io.ts';
import { offlineRevocation } from '../explain/offline-revocation.io.ts';
import { SILENT } from '../log/silent.ts';
import { type Access, accessConfiguration, localAdministrator } from './config-access.io.ts';

type Word = 'running' | 'candidate' | undefined;
export type Question = { readonly which?: Word; readonly path?: string; readonly [name: string]: unknown };
type Value = Promise<Answer<{ readonly value: unknown }>>;

/** `running`: of the configuration that is asked about, whichever it is. */
const ANSWERS = {
  'POST /api/trace': (by, question) => by.trace('running', question as never),
  'POST /api/ldaptest': (by, question) => by.testDirectory('running', question as never),
  'POST /api/cert/verify': (by, question) => by.verify('running', question as never),
  'POST /api/tlsverify': (by, question) => by.verifyDestination('running', question as never),
  'GET /api/rules': (by, question) => by.rules('running', question as never),
  'GET /api/exemptions': (by, question) => by.exemptions('running', question as never),
} as const satisfies Readonly<Record<string, (by: Explanations, question: object) => Value>>;

export type AskedWhy = keyof typeof ANSWERS | 'GET /api/config';

/** Undefined where the data folder has no store. */
export async function storedAnswer(
  dataDir: string,
  key: AskedWhy,
  question: Question,
): Promise<ApiAnswer<unknown> | undefined> {
  if (!existsSync(storeFile(dataDir))) return undefined;
  const access = await accessConfiguration({ data: dataDir, config: undefined, keyFile: undefined, mayMake: false });
  if (typeof access === 'string') return refused({ kind: 'failed', why: access });
  try {
    const answer = await answerFrom(access, dataDir, { key, question });
    return answer.ok ? { ok: true, body: answer.value, etag: undefined } : refused(answer.refusal);
  } finally {
    await access.close();
  }
}

type Asked = { readonly key: AskedWhy; readonly question: Question };

async function answerFrom({ store, compiled }: Access, dataDir: string, { key, question }: Asked): Value {
  const { which: word, ...rest } = question;
  const which: Which = word === 'candidate' ? { session: localAdministrator().session } : 'running';
  if (key === 'GET /api/config') {
    const found = await store.document(which, parseFaultPath(rest.path ?? ''));
    return found.ok ? { ok: true, value: found } : found;
  }
  if (compiled === undefined) return { ok: false, refusal: { kind: 'failed', why: 'a gateway has just started' } };
  const asked = await compiled(which);
  if (!asked.ok) return asked;
  const { revision } = asked;
  const { config, material } = revision;
  const crls = await offlineRevocation({
    config,
    material,
    baseDir: dataDir,
    dataDir,
    clock: systemClock,
    log: SILENT,
  });
  const configuration: ExplanationParts['control']['configuration'] = {
    status: () => store.status(),
    candidate: (session) => store.candidate(session),
    compiled,
  };
  const by = explanationsOf({
    control: { configuration },
    running: () => revision,
    crls,
    desk: undefined,
    dataDir,
    clock: systemClock,
  });
  try {
    return await ANSWERS[key](by, rest);
  } finally {
    by.close();
    crls.close();
  }
}

function refused(refusal: Refusal): ApiAnswer<never> {
  const { kind, why } = refusal;
  const errors = kind === 'faults' ? refusal.faults.map(problemError) : [];
  return { ok: false, refusal: { kind, status: 0, title: why, detail: why, errors, document: {} } };
}
