/**
 * The configuration routes: every one asks the configuration store, and a refusal of the store becomes a problem that
 * carries what it says: conflicts, the unconfirmed revision, the version that is there.
 * Effects: asks the control thread.
 */
import type { Answer, Change, Committed, Refusal, Seen, StoreFault, Which } from '../config/configuration-store.ts';
import { renderFaultPath } from '../core/fault.ts';
import { parseFaultPath } from '../core/fault-path.ts';
import { type ApiContext, type Call, callerOf, type HandlersOf } from './api-context.ts';
import { type Problem, type ProblemError, type ProblemKind, problem, problemError } from './problem.ts';
import type { CONFIGURATION_ROUTES } from './routes-configuration.ts';
import { mayUse } from './roles.ts';
import { signInChange } from './sign-in-changes.ts';

const MAX_NOTED_PATHS = 8;

export const CONFIGURATION_HANDLERS: HandlersOf<typeof CONFIGURATION_ROUTES> = {
  'GET /api/config/status': async (_, __, { control }) => ({ body: await control.configuration.status() }),

  'GET /api/config': async ({ query: { which, path } }, call, { control }) => {
    const wanted = whichOf(which, call);
    const answer = await control.configuration.document(wanted, parseFaultPath(path ?? ''));
    if (!answer.ok) return refused(answer.refusal);
    const { revision, version, value } = answer;
    // A candidate that does not exist yet has a tag, too: what is sent with it is refused once there is one.
    const etag = version ?? (which === 'candidate' ? 0 : revision);
    return { body: { revision, ...(version === undefined ? {} : { version }), value }, etag };
  },

  'GET /api/config/candidate': async (_, call, { control }) => {
    const answer = await control.configuration.candidate(callerOf(call).session);
    return answer.ok ? { body: answer.candidate, etag: answer.candidate.version } : refused(answer.refusal);
  },

  'PATCH /api/config/candidate': async ({ body: { edits, base: from }, ifMatch }, call, { control }) => {
    const answer = await control.configuration.edit(who(call), edits as never, seen(from, ifMatch));
    if (!answer.ok) return refused(answer.refusal);
    const { version, base } = answer;
    return { body: { version, base }, etag: version, note: pathsOf(edits) };
  },

  'PUT /api/config/candidate': async ({ body, ifMatch }, call, { control }) => {
    const { text, document, passphrase, at, base } = body;
    const source = text === undefined ? { document: document as never } : { text };
    const options = {
      ...source,
      ...seen(base, ifMatch),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(at === undefined ? {} : { at }),
    };
    const answer = await control.configuration.load(who(call), options);
    if (!answer.ok) return refused(answer.refusal);
    const { ok: _, warnings, ...loaded } = answer;
    const { version, changes } = loaded;
    return {
      body: { ...loaded, warnings: warnings.map(problemError) },
      etag: version,
      note: countOf(changes),
    };
  },

  'DELETE /api/config/candidate': async (_, call, { control }) => {
    const answer = await control.configuration.clear(callerOf(call).session);
    return answer.ok ? { body: { dropped: answer.dropped } } : refused(answer.refusal);
  },

  'POST /api/config/candidate/validate': async (_, call, { control }) => {
    const answer = await control.configuration.validate(callerOf(call).session);
    if (!answer.ok) return refused(answer.refusal);
    return { body: { changes: answer.changes, warnings: answer.warnings.map(problemError) } };
  },

  'POST /api/config/candidate/rebase': async ({ body: { choices } }, call, { control }) => {
    const answer = await control.configuration.rebase(who(call), choices);
    if (!answer.ok) return refused(answer.refusal);
    const { version, base } = answer;
    return { body: { version, base }, etag: version };
  },

  'POST /api/config/commit': async ({ body, ifMatch }, call, context) => {
    const { control } = context;
    const { comment, confirmMs } = body;
    const ifRevision = numberOf(ifMatch);
    const looked = await lookAtCandidate(call, context);
    if ('problem' in looked) return looked;
    // What was looked at is what is committed: the candidate may change meanwhile.
    const ifVersion = Math.min(body.ifVersion ?? looked.version, looked.version);
    const answer = await control.configuration.commit(who(call), {
      comment,
      ...(confirmMs === undefined ? {} : { confirmMs }),
      ...(ifRevision === undefined ? {} : { ifRevision }),
      ...(Number.isFinite(ifVersion) ? { ifVersion } : {}),
    });
    return committed(answer);
  },

  'POST /api/config/confirm': async (_, call, { control }) => {
    const answer = await control.configuration.confirm(who(call));
    if (!answer.ok) return refused(answer.refusal);
    return { body: { revision: answer.revision }, note: `revision ${answer.revision.number}` };
  },

  'POST /api/config/rollback': async ({ body: { to, comment, confirmMs }, ifMatch }, call, context) => {
    const { control } = context;
    const running = (await control.configuration.status()).running.number;
    const compared = isAdministrator(call) ? undefined : await control.configuration.diff(running, to);
    const refusal = compared?.ok === true ? signInRefusal(compared.changes, context) : undefined;
    if (refusal !== undefined) return refusal;
    const given = numberOf(ifMatch);
    // What was compared is what is gone back from: another revision may come meanwhile.
    const ifRevision = compared === undefined ? given : given === undefined || given === running ? running : -1;
    return committed(
      await control.configuration.rollback(who(call), {
        to,
        ...(comment === '' ? {} : { comment }),
        ...(confirmMs === undefined ? {} : { confirmMs }),
        ...(ifRevision === undefined ? {} : { ifRevision }),
      }),
    );
  },

  'POST /api/config/rekey': async (_, call, { control }) => {
    const answer = await control.configuration.rekey(who(call));
    return answer.ok ? { body: { file: answer.file, secrets: answer.secrets } } : refused(answer.refusal);
  },

  'POST /api/config/reload': async (_, __, { control }) => {
    const answer = await control.configuration.reload();
    return answer.ok ? { body: { warnings: answer.warnings.map(problemError) } } : refused(answer.refusal);
  },

  'GET /api/config/history': async ({ query: { before, limit } }, _, { control }) => ({
    body: { revisions: await control.configuration.history({ limit, ...(before === undefined ? {} : { before }) }) },
  }),

  'GET /api/config/history/{revision}': async ({ path: { revision } }, _, { control }) => {
    const answer = await control.configuration.revision(revision);
    return answer.ok ? { body: { revision: answer.revision, changes: answer.changes } } : refused(answer.refusal);
  },

  'GET /api/config/diff': async ({ query: { from, to } }, call, { control }) => {
    const answer = await control.configuration.diff(whichOf(from, call), whichOf(to, call));
    return answer.ok ? { body: { changes: answer.changes } } : refused(answer.refusal);
  },

  'POST /api/config/export': async ({ body: { which, secrets, passphrase } }, call, { control }) => {
    if (secrets !== 'masked' && !mayUse(callerOf(call).role, 'administrator'))
      return problem('forbidden', 'secrets leave the gateway for an administrator only: export them masked');
    const answer = await control.configuration.export({
      which: whichOf(which, call),
      secrets,
      ...(passphrase === undefined ? {} : { passphrase }),
    });
    return answer.ok ? { body: answer.text } : refused(answer.refusal);
  },
};

function seen(base: number | undefined, ifMatch: string | undefined): Seen {
  const ifVersion = numberOf(ifMatch);
  return { ...(base === undefined ? {} : { base }), ...(ifVersion === undefined ? {} : { ifVersion }) };
}

const isAdministrator = (call: Call): boolean => mayUse(callerOf(call).role, 'administrator');

/** The version that may be committed, whichever it is for an administrator; or why not. */
async function lookAtCandidate(call: Call, context: ApiContext): Promise<{ readonly version: number } | Problem> {
  if (isAdministrator(call)) return { version: Infinity };
  const answer = await context.control.configuration.candidate(callerOf(call).session);
  // Where there is none, the commit says so.
  if (!answer.ok) return { version: 0 };
  const { changes, version } = answer.candidate;
  return signInRefusal(changes, context) ?? { version };
}

function signInRefusal(changes: readonly Change[], { config }: ApiContext): Problem | undefined {
  const path = signInChange(changes, config());
  if (path === undefined) return undefined;
  const where = path.length === 0 ? 'the whole' : renderFaultPath(path);
  return problem('forbidden', `${where} decides who may sign in: an administrator must commit this`);
}

const who = (call: Call) => {
  const { name, session } = callerOf(call);
  return { name, session };
};

function whichOf(which: string | number, call: Call): Which {
  if (which === 'running') return 'running';
  return which === 'candidate' ? { session: callerOf(call).session } : Number(which);
}

/** An entity tag that is no number is none that this API has given out. */
const numberOf = (ifMatch: string | undefined): number | undefined =>
  ifMatch === undefined ? undefined : /^\d{1,9}$/.test(ifMatch) ? Number(ifMatch) : -1;

const countOf = (changes: readonly Change[]): string =>
  `${changes.length} ${changes.length === 1 ? 'change' : 'changes'}: ${pathsOf(changes)}`;

/** Where, never what: a value may be a secret. */
function pathsOf(places: readonly { readonly path: readonly (string | number)[] }[]): string {
  const shown = places
    .slice(0, MAX_NOTED_PATHS)
    .map(({ path }) => (path.length === 0 ? '(whole)' : renderFaultPath(path)));
  return `${shown.join(', ')}${places.length > shown.length ? ', ...' : ''}`;
}

function committed(answer: Answer<Committed>) {
  if (!answer.ok) return refused(answer.refusal);
  const { revision, changes, unconfirmed } = answer;
  return {
    body: {
      revision,
      changes,
      warnings: answer.warnings.map(problemError),
      ...(unconfirmed === undefined ? {} : { unconfirmed }),
    },
    etag: revision.number,
    note: `revision ${revision.number}, ${countOf(changes)}`,
  };
}

const KINDS: Readonly<Record<Refusal['kind'], ProblemKind>> = {
  'file-mode': 'file-mode',
  faults: 'invalid',
  conflict: 'conflict',
  stale: 'precondition-failed',
  unconfirmed: 'conflict',
  'not-found': 'not-found',
  'no-changes': 'conflict',
  'not-possible': 'not-possible',
  failed: 'unavailable',
};

/** `refusal` is the store's own word; the members beside it are what it says. */
export function refused(refusal: Refusal): Problem {
  const { kind, why, ...facts } = refusal;
  const { faults, ...more } = facts as { readonly faults?: readonly StoreFault[] };
  const errors: readonly ProblemError[] | undefined = faults?.map(problemError);
  return problem(KINDS[kind], why, {
    ...(errors === undefined ? {} : { errors }),
    more: { refusal: kind, ...more },
  });
}
