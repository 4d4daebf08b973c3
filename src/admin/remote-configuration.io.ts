/**
 * The configuration store of a running gateway, over the API on its control socket: the same object as the gateway itself
 * has, so that the command line need not know whether one runs. Effects: the control socket.
 */
import type {
  Answer,
  Candidate,
  Change,
  Committed,
  ConfigurationStore,
  Json,
  Loaded,
  Refusal,
  RevisionInfo,
  StoreFault,
  StoreStatus,
  Which,
} from '../config/configuration-store.ts';
import { refuseImpossible } from '../config/refusals.ts';
import { GatewayError } from '../core/errors.ts';
import { renderFaultPath } from '../core/fault.ts';
import { type ApiAnswer, type ApiRefusal, connectApi } from './api-client.io.ts';
import type { ProblemError } from './problem.ts';

export type RemoteConfiguration = Omit<ConfigurationStore, 'mode' | 'compiled'>;

type Request = { readonly path?: object; readonly query?: object; readonly body?: unknown; readonly ifMatch?: string };
type Call = <Body>(key: string, request?: Request) => Promise<Answer<Body>>;
type Warned = { readonly warnings: readonly ProblemError[] };

/** Undefined where no gateway runs on this data folder. Calls reject with GatewayError where it went away meanwhile. */
export async function remoteConfiguration(dataDir: string): Promise<RemoteConfiguration | undefined> {
  const api = connectApi(dataDir) as unknown as {
    call: (key: string, request?: Request) => Promise<ApiAnswer<unknown>>;
  };
  const call = async <Body>(key: string, request: Request = {}): Promise<Answer<Body>> => {
    const answer = await api.call(key, request);
    if (answer.ok) return { ok: true, ...(answer.body as Body) };
    if (answer.refusal.kind === 'unreachable') throw new GatewayError('closed', answer.refusal.detail);
    return { ok: false, refusal: refusalOf(answer.refusal) };
  };
  try {
    await must<StoreStatus>(call, 'GET /api/config/status');
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'closed') return undefined;
    throw error;
  }
  const text = async (body: unknown): Promise<Answer<{ text: string }>> => {
    const answer = await api.call('POST /api/config/export', { body });
    if (answer.ok) return { ok: true, text: String(answer.body) };
    return { ok: false, refusal: refusalOf(answer.refusal) };
  };
  return { ...reading(call, text), ...changing(call) };
}

type Reading = 'status' | 'document' | 'history' | 'revision' | 'diff' | 'export' | 'candidate' | 'validate';

function reading(
  call: Call,
  text: (body: unknown) => Promise<Answer<{ text: string }>>,
): Pick<RemoteConfiguration, Reading> {
  return {
    status: () => must<StoreStatus>(call, 'GET /api/config/status'),
    document: (which, path = []) =>
      call<{ revision: number; value: Json }>('GET /api/config', {
        query: { which: wordOf(which), ...(path.length === 0 ? {} : { path: renderFaultPath(path) }) },
      }),
    history: async (page = {}) =>
      (await must<{ revisions: RevisionInfo[] }>(call, 'GET /api/config/history', { query: page })).revisions,
    revision: (number) =>
      call<{ revision: RevisionInfo; changes: Change[] }>('GET /api/config/history/{revision}', {
        path: { revision: String(number) },
      }),
    diff: (from, to) =>
      call<{ changes: Change[] }>('GET /api/config/diff', { query: { from: wordOf(from), to: wordOf(to) } }),
    export: ({ which, ...rest }) => text({ which: wordOf(which), ...rest }),
    candidate: async () => {
      const answer = await call<Candidate>('GET /api/config/candidate');
      return answer.ok ? { ok: true, candidate: answer } : answer;
    },
    validate: async () => warned(await call<Warned & { changes: Change[] }>('POST /api/config/candidate/validate')),
  };
}

function changing(call: Call): Omit<RemoteConfiguration, Reading> {
  return {
    edit: (_who, edits, { ifVersion, ...more } = {}) =>
      call<{ version: number; base: number }>('PATCH /api/config/candidate', {
        body: { edits, ...more },
        ...ifMatching(ifVersion),
      }),
    load: async (_who, { ifVersion, ...body }) =>
      warned(
        await call<Warned & Omit<Loaded, 'warnings'>>('PUT /api/config/candidate', { body, ...ifMatching(ifVersion) }),
      ),
    clear: () => call<{ dropped: number }>('DELETE /api/config/candidate'),
    rebase: (_who, choices) =>
      call<{ version: number; base: number }>('POST /api/config/candidate/rebase', { body: { choices } }),
    commit: async (_who, { ifRevision, ...body }) =>
      warned(
        await call<Warned & Omit<Committed, 'warnings'>>('POST /api/config/commit', {
          body,
          ...ifMatching(ifRevision),
        }),
      ),
    confirm: () => call<{ revision: RevisionInfo }>('POST /api/config/confirm'),
    rollback: async (_who, body) =>
      warned(await call<Warned & Omit<Committed, 'warnings'>>('POST /api/config/rollback', { body })),
    rekey: async (_who, to) =>
      to === undefined
        ? call<{ file: string; secrets: number }>('POST /api/config/rekey')
        : refuseImpossible('a running gateway goes on with its own key file: stop it, or leave --to out'),
    reload: async () => warned(await call<Warned>('POST /api/config/reload')),
  };
}

const ifMatching = (tag: number | undefined): { ifMatch?: string } =>
  tag === undefined ? {} : { ifMatch: String(tag) };

/** The session is the API's to know: the local account's. */
const wordOf = (which: Which): string | number => (typeof which === 'object' ? 'candidate' : which);

async function must<Body>(call: Call, key: string, request?: Request): Promise<Body> {
  const answer = await call<Body>(key, request);
  if (!answer.ok) throw new GatewayError('config', answer.refusal.why);
  return answer;
}

function warned<Body extends Warned>(
  answer: Answer<Body>,
): Answer<Omit<Body, 'warnings'> & { readonly warnings: readonly StoreFault[] }> {
  return answer.ok ? { ...answer, warnings: answer.warnings.map(faultOf) } : answer;
}

const faultOf = ({ keys, detail, severity, line, column }: ProblemError): StoreFault => ({
  path: keys,
  message: detail,
  severity,
  ...(line === undefined || column === undefined ? {} : { line, column }),
});

/** A refusal of the store comes as it was; any other problem of the API is a failure in words. */
function refusalOf({ detail, title, errors, document }: ApiRefusal): Refusal {
  const why = detail === '' ? title : detail;
  const kind = document['refusal'];
  if (typeof kind === 'string') return { ...document, kind, why, faults: errors.map(faultOf) } as unknown as Refusal;
  if (errors.length > 0) return { kind: 'faults', why, faults: errors.map(faultOf) };
  return { kind: 'not-possible', why };
}
