/**
 * Those who explain decisions, on the admin thread: what the API asks (`admin/explanations.ts`) is answered by the code
 * that decides, on the configuration in force or on one that is not, with the revocation lists in force where the
 * configuration is about them and with its own where it is about others.
 * Effects: directories, responders, the history file, and lists where a configuration names others.
 */
import path from 'node:path';
import type { ControlCalls } from '../admin/control-calls.ts';
import type { Explanations } from '../admin/explanations.ts';
import { certificatesOf } from './certificate-lookup.ts';
import type { Answer, Refusal, Which } from '../config/configuration-store.ts';
import type { Revision } from '../config/schema.ts';
import type { Clock } from '../core/ports.ts';
import { Turns } from '../core/turns.ts';
import { ClientHistory } from '../log/client-history.io.ts';
import type { CrlSeeker } from '../pipeline/crl-seeker.io.ts';
import { pointProfilesOf } from '../tls/crl-points.ts';
import type { AskDesk } from '../tls/desk.ts';
import { verifyCertificate } from './certificate-verification.io.ts';
import { verifyDestination } from './destination-verification.io.ts';
import { testDirectory } from './directory-test.io.ts';
import { dryRun } from './dry-run.io.ts';
import { historyQuestions } from './history-reports.io.ts';
import { SILENT } from '../log/silent.ts';
import { offlineRevocation } from './offline-revocation.io.ts';
import { trace, traceInput } from './trace.io.ts';

export type ExplanationParts = {
  readonly control: {
    readonly configuration: Pick<ControlCalls['configuration'], 'status' | 'candidate' | 'compiled'>;
  };
  /** The revision in force, as this thread has it. */
  readonly running: () => Revision;
  /** The lists in force. */
  readonly crls: CrlSeeker;
  /** The control thread's desk, which sessions ask; undefined: each question has a desk of its own. */
  readonly desk: AskDesk | undefined;
  readonly dataDir: string;
  readonly clock: Clock;
};

/** A configuration with what judges by it; `desk` is undefined where its authorities are not those in force. */
type Bench = {
  readonly revision: Revision;
  readonly crls: CrlSeeker;
  readonly desk: AskDesk | undefined;
  readonly close: () => void;
};

const TOO_MANY = 'too many questions at once: try again';
const refuse = (kind: 'not-found' | 'not-possible' | 'failed', why: string) =>
  ({ ok: false, refusal: { kind, why } as Refusal }) as const;

export type QuestionParts = ExplanationParts & {
  /** What ends the lists that are open for questions under way. */
  readonly open: Set<() => void>;
  readonly revisionOf: (which: Which) => Promise<Answer<{ readonly revision: Revision }>>;
};

/** `close` gives up what is under way: temporary folders and downloads. */
export function explanationsOf(given: ExplanationParts): Explanations & { readonly close: () => void } {
  const { control, running } = given;
  // What is in force is here; the control thread has what is not compiled in a process apart.
  const revisionOf: QuestionParts['revisionOf'] = async (which) =>
    which === 'running' ? { ok: true, revision: running() } : await control.configuration.compiled(which);
  const open = new Set<() => void>();
  const parts = { ...given, revisionOf, open };
  return {
    close: () => {
      for (const close of open) close();
    },
    ...sessionQuestions(parts),
    ...destinationQuestion(parts),
    ...historyQuestions(parts),
    ...dryRunQuestion(parts),
  };
}

/** What would become of a certificate, a session, a login. */
function sessionQuestions(parts: QuestionParts): Pick<Explanations, 'verify' | 'trace' | 'testDirectory'> {
  const { clock } = parts;
  const turns = new Turns({ atOnce: 4, mayWait: 32 });
  const onBench = async <T>(which: Which, work: (bench: Bench) => Promise<Answer<T>>): Promise<Answer<T>> =>
    (await turns.run(() => withBench(which, parts, work))) ?? refuse('failed', TOO_MANY);
  return {
    verify: (which, { profile, certificate }) =>
      onBench(which, async ({ revision, crls, desk }) => {
        const [leaf, ...others] = readCertificates(certificate);
        if (leaf === undefined) return refuse('not-possible', NO_CERTIFICATE);
        const question = { profile, certificates: [leaf, ...others] as const };
        const value = await verifyCertificate(revision, question, { clock, log: SILENT, crls, desk });
        return value === undefined
          ? refuse('not-found', `there is no profile ${profile} of type certificate`)
          : { ok: true, value };
      }),
    trace: (which, { certificate, message, ...question }) =>
      onBench(which, async ({ revision, crls, desk }) => {
        const certificates = certificate === undefined ? [] : readCertificates(certificate);
        if (certificate !== undefined && certificates.length === 0) return refuse('not-possible', NO_CERTIFICATE);
        const octets = message === undefined ? undefined : Buffer.from(message, 'base64');
        const input = traceInput(revision.config, { ...question, certificates, message: octets });
        if (typeof input === 'string') return refuse('not-possible', input);
        const value = await trace(revision, input, { clock, log: SILENT, crls, desk });
        return value === undefined ? refuse('not-possible', 'there is no such listener') : { ok: true, value };
      }),
    testDirectory: (which, { query, profile, certificate, user, password }) =>
      onBench(which, async ({ revision }) => {
        const subject = user === undefined ? { certificate: Buffer.from(certificate ?? '') } : { user, password };
        const test = await testDirectory(revision, { query, profile, ...subject }, clock);
        return test.answer === 'yes' ? { ok: true, value: test.value } : refuse('not-possible', test.why);
      }),
  };
}

function destinationQuestion(parts: QuestionParts): Pick<Explanations, 'verifyDestination'> {
  const turns = new Turns({ atOnce: 4, mayWait: 8 });
  return {
    verifyDestination: async (which, question) => {
      const asked = await parts.revisionOf(which);
      if (!asked.ok) return asked;
      const found = await turns.run(() => verifyDestination(asked.revision, question));
      if (found === undefined) return refuse('failed', TOO_MANY);
      return found.answer === 'yes' ? { ok: true, value: found.value } : refuse('not-possible', found.why);
    },
  };
}

function dryRunQuestion(parts: QuestionParts): Pick<Explanations, 'dryRun'> {
  const turns = new Turns({ atOnce: 1, mayWait: 2 });
  return {
    dryRun: async (session, { days }) => {
      const tried = turns.run(() => dryRunCandidate(session, days, parts));
      return (await tried) ?? refuse('failed', 'a dry run is under way: try again when it has ended');
    },
  };
}

/** More would be no easier to read. */
const MAX_TOLD = 1000;

async function dryRunCandidate(session: string, days: number, parts: QuestionParts) {
  const { clock, dataDir } = parts;
  const { configuration } = parts.control;
  // Where a file is the truth, the file as it is now is what a reload would put into force.
  const { file } = await configuration.status();
  const candidate = file === undefined ? await configuration.candidate(session) : ({ ok: true } as const);
  if (!candidate.ok) return candidate;
  const history = ClientHistory.read(dataDir);
  if (history === undefined) return refuse('not-found', 'no client has been seen yet: there is nothing to try it on');
  try {
    return await withBench('running', parts, (running) =>
      withBench({ session }, parts, async (changed) => {
        const desk = changed.desk;
        const value = await dryRun({ running, candidate: changed, history, days, clock, log: SILENT, desk });
        return { ok: true, value: { ...value, changed: value.changed.slice(0, MAX_TOLD) } };
      }),
    );
  } finally {
    history.close();
  }
}

const MAX_CERTIFICATES = 32;
const NO_CERTIFICATE = 'the certificate is not PEM, or is malformed';

function readCertificates(pem: string): readonly Uint8Array[] {
  const found = certificatesOf(Buffer.from(pem));
  return typeof found === 'string' ? [] : found.slice(0, MAX_CERTIFICATES);
}

async function withBench<T>(
  which: Which,
  parts: QuestionParts,
  work: (bench: Bench) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const asked = await parts.revisionOf(which);
  if (!asked.ok) return asked;
  const bench = await openBench(asked.revision, parts);
  try {
    return await work(bench);
  } finally {
    bench.close();
  }
}

async function openBench(revision: Revision, parts: QuestionParts): Promise<Bench> {
  if (listsOf(revision) === listsOf(parts.running()))
    return { revision, crls: parts.crls, desk: parts.desk, close: () => undefined };
  const { config, material } = revision;
  const { dataDir, clock } = parts;
  const { file } = await parts.control.configuration.status();
  const baseDir = file === undefined ? dataDir : path.dirname(path.resolve(file));
  const crls = await offlineRevocation({ config, material, baseDir, dataDir, clock, log: SILENT });
  const close = (): void => {
    parts.open.delete(close);
    crls.close();
  };
  parts.open.add(close);
  return { revision, crls, desk: undefined, close };
}

/** What decides which revocation lists are held, and what responders are trusted by. */
const listsOf = ({ config, material }: Revision): string =>
  JSON.stringify([config.crl, material.authorities, pointProfilesOf(config)]);
