/**
 * From a request to an answer: route, caller, role, origin, body, handler, audit record. Every decision is read from the
 * route table; a handler only does the work. An error that nobody foresaw answers 500 and is logged with its stack.
 * RFC 9110, RFC 9457. Effects: through the handlers, the accounts' database and the log.
 */
import type { z } from 'zod';
import { schemaFaults } from '../config/schema-faults.ts';
import { GatewayError, stackOf } from '../core/errors.ts';
import { isDatabaseError } from './accounts-database.io.ts';
import type { AnyHandler, ApiContext, Call, Caller, Reply } from './api-context.ts';
import { type ApiRequest, type ApiResponse, problemResponse } from './api-response.ts';
import type { AuditFacts } from './audit.io.ts';
import { LOCAL_ACCOUNT_HEADER } from './api-headers.ts';
import { authenticate, cookieOf } from './authenticate.io.ts';
import { isProblem, type Problem, problem, problemError } from './problem.ts';
import { MAX_BODY_BYTES, parseBody } from './request-body.ts';
import { mayUse } from './roles.ts';
import { isChange, methodOf, type Route, RouteFinder, type RouteInput } from './route.ts';
import { type ApiKey, ROUTE_KEYS, ROUTES } from './routes.ts';

type Found = { readonly key: ApiKey; readonly route: Route; readonly parameters: Readonly<Record<string, string>> };
type Outcome = { readonly response: ApiResponse; readonly outcome: string; readonly detail: string };

type Admission = { readonly caller: Caller | undefined; readonly refused: Problem | undefined };

const SIGN_IN = problem('unauthenticated', 'sign in first, or send a token', {
  headers: { 'www-authenticate': 'Bearer' },
});
export class Api {
  readonly #context: ApiContext;
  readonly #handlers: Readonly<Record<ApiKey, AnyHandler>>;
  readonly #finder = new RouteFinder<ApiKey>(ROUTE_KEYS);

  constructor(context: ApiContext, handlers: Readonly<Record<ApiKey, AnyHandler>>) {
    this.#context = context;
    this.#handlers = handlers;
  }

  async answer(request: ApiRequest): Promise<ApiResponse> {
    try {
      const found = this.#find(request);
      return isProblem(found) ? problemResponse(found) : await this.#serve(request, found);
    } catch (error) {
      return problemResponse(this.#unforeseen(error));
    }
  }

  #find({ method, target }: ApiRequest): Found | Problem {
    const [path = ''] = target.split('?', 1);
    const match = this.#finder.find(method, path);
    if (match.kind === 'none') return problem('not-found', 'there is nothing at this path');
    if (match.kind === 'method') {
      const allow = match.allowed.join(', ');
      return problem('method-not-allowed', `allowed here: ${allow}`, { headers: { allow } });
    }
    return { key: match.key, route: ROUTES[match.key], parameters: match.parameters };
  }

  async #serve(request: ApiRequest, found: Found): Promise<ApiResponse> {
    const { caller, refused } = this.#admit(request, found);
    if (refused !== undefined) {
      if (caller !== undefined && isChange(found.key, found.route))
        this.#recordRefusal(request, found, caller, refused);
      return problemResponse(refused);
    }
    const input = await readInput(request, found);
    if (isProblem(input)) return problemResponse(input);
    const { channel, address, chain } = request;
    const call: Call = { caller, channel, address, chain, cookie: cookieOf(request.header('cookie')) };
    const perform = (): Promise<Outcome> => this.#perform(found, input, call);
    if (!isChange(found.key, found.route)) return (await perform()).response;
    const facts = factsOf(found, input, call);
    const id = this.#context.audit.began(facts);
    const { response, outcome, detail } = await perform();
    this.#context.audit.ended(id, facts, outcome, detail);
    return response;
  }

  /** Who is calling, and what stands against the request before anything of it is read. */
  #admit(request: ApiRequest, { key, route }: Found): Admission {
    const who = authenticate(
      {
        channel: request.channel,
        address: request.address,
        chain: request.chain,
        authorization: request.header('authorization'),
        cookie: cookieOf(request.header('cookie')),
        localAccount: request.header(LOCAL_ACCOUNT_HEADER),
      },
      this.#context,
    );
    const caller = who.kind === 'caller' ? who.caller : undefined;
    const foreign = methodOf(key) === 'GET' ? undefined : this.#foreignOrigin(request, route.least !== 'nobody');
    if (foreign !== undefined) return { caller, refused: foreign };
    // An old cookie must not keep anybody from signing in.
    if (route.least === 'nobody') return { caller, refused: undefined };
    if (who.kind === 'problem') return { caller, refused: who.problem };
    if (caller === undefined) return { caller, refused: SIGN_IN };
    if (mayUse(caller.role, route.least)) return { caller, refused: undefined };
    const why = `this needs the role ${route.least}; ${caller.name} has ${caller.role}`;
    return { caller, refused: problem('forbidden', why) };
  }

  #recordRefusal({ address }: ApiRequest, { route, parameters }: Found, caller: Caller, refused: Problem): void {
    const { name: actor, how } = caller;
    const target = Object.values(parameters).join(' ');
    this.#context.audit.record(
      { actor, how, address, action: route.operation, target, facts: {} },
      refused.problem,
      refused.detail,
    );
  }

  /**
   * A browser says where a request comes from; what it sends along by itself (cookie, client certificate) counts from
   * the gateway's own origin only. A program with a token sends neither.
   */
  #foreignOrigin({ channel, header }: ApiRequest, needed: boolean): Problem | undefined {
    if (channel === 'local') return undefined;
    const origin = header('origin');
    const byCookie = needed && header('authorization') === undefined;
    if (origin === undefined)
      return byCookie && header('cookie') !== undefined
        ? problem('foreign-origin', 'a change by cookie needs the header Origin')
        : undefined;
    if (this.#context.origins().includes(origin)) return undefined;
    return problem('foreign-origin', 'requests of this origin are not allowed: see admin.origins in the configuration');
  }

  async #perform({ key, route }: Found, input: RouteInput<Route>, call: Call): Promise<Outcome> {
    let answer: Reply<unknown> | Problem;
    try {
      answer = await this.#handlers[key](input, call, this.#context);
    } catch (error) {
      answer = this.#unforeseen(error);
    }
    if (isProblem(answer)) return { response: problemResponse(answer), outcome: answer.problem, detail: answer.detail };
    return { response: goodResponse(route, answer), outcome: 'done', detail: answer.note ?? '' };
  }

  #unforeseen(error: unknown): Problem {
    if (error instanceof GatewayError) return problem('unavailable', error.message);
    if (isDatabaseError(error)) {
      const text = `the accounts' database cannot be used: ${error.message}`;
      this.#context.log.emit({ event: 'system', level: 'critical', topic: 'api', text });
      return problem('unavailable', text);
    }
    const stack = stackOf(error);
    this.#context.log.emit({ event: 'system', level: 'critical', topic: 'api', text: `the API failed: ${stack}` });
    return problem('internal', 'the gateway failed; its log says how');
  }
}

async function readInput(request: ApiRequest, { route, parameters }: Found): Promise<RouteInput<Route> | Problem> {
  const ifMatch = readIfMatch(request, route);
  if (typeof ifMatch === 'object') return ifMatch;
  const path = check(route.path, parameters, 'malformed', 'the path');
  if (isProblem(path)) return path;
  const query = check(route.query, queryOf(request.target), 'malformed', 'the query');
  if (isProblem(query)) return query;
  if (route.body === undefined)
    return { path: path.value, query: query.value, body: undefined, ifMatch } as RouteInput<Route>;
  const maxBytes = route.maxBodyBytes ?? MAX_BODY_BYTES;
  const bytes = await request.readBody(maxBytes);
  if (bytes === 'cut-off') return problem('malformed', 'the body ended before its length');
  if (bytes === 'too-large') return problem('too-large', `the body may have ${maxBytes} octets`);
  const parsed = parseBody(bytes, request.header('content-type'));
  if (!parsed.ok) return parsed.problem;
  const body = check(route.body, parsed.value, 'invalid', 'the body');
  if (isProblem(body)) return body;
  return { path: path.value, query: query.value, body: body.value, ifMatch } as RouteInput<Route>;
}

/** A query that the route does not take is as wrong as one that it does not understand. */
function queryOf(target: string): Record<string, string> {
  const at = target.indexOf('?');
  return at < 0 ? {} : Object.fromEntries(new URLSearchParams(target.slice(at + 1)));
}

function check(
  schema: z.ZodType | undefined,
  data: unknown,
  kind: 'malformed' | 'invalid',
  what: string,
): { readonly value: unknown } | Problem {
  if (schema === undefined) {
    const extra = Object.keys(data as object);
    return extra.length === 0 || what === 'the path'
      ? { value: undefined }
      : problem('malformed', `${what} has values that nobody asked for: ${extra.join(', ').slice(0, 200)}`);
  }
  const parsed = schema.safeParse(data);
  if (parsed.success) return { value: parsed.data };
  const errors = schemaFaults(parsed.error.issues, data, schema).map(problemError);
  return problem(kind, `${what} is wrong: ${errors[0]?.path}: ${errors[0]?.detail}`, { errors });
}

/** RFC 9110 §13.1.1. One strong tag; `*` means any that is there. */
function readIfMatch({ header }: ApiRequest, route: Route): string | undefined | Problem {
  if (route.ifMatch === undefined) return undefined;
  const given = header('if-match')?.trim();
  if (given === undefined)
    return route.ifMatch === 'needed'
      ? problem('precondition-required', 'send If-Match with the entity tag of what you have read, or *')
      : undefined;
  if (given === '*') return undefined;
  const tag = /^"([\x21\x23-\x7e]{0,100})"$/.exec(given)?.[1];
  // Another form can match nothing that this API has given out.
  return tag ?? problem('precondition-failed', 'If-Match is not an entity tag of this API');
}

function factsOf({ route }: Found, input: RouteInput<Route>, { caller, address }: Call): AuditFacts {
  const given = { ...(input.query as object | undefined), ...(input.body as object | undefined) } as Record<
    string,
    unknown
  >;
  const facts = Object.fromEntries(
    (route.recorded ?? []).filter((name) => given[name] !== undefined).map((name) => [name, given[name]]),
  );
  const target = Object.values((input.path ?? {}) as Record<string, string>).join(' ');
  return { actor: caller?.name ?? '', how: caller?.how ?? 'none', address, action: route.operation, target, facts };
}

function goodResponse(route: Route, { body, etag, headers }: Reply<unknown>): ApiResponse {
  const more = { ...headers, ...(etag === undefined ? {} : { etag: `"${etag}"` }) };
  if (route.text !== undefined)
    return { status: 200, headers: { 'content-type': route.text.contentType, ...more }, body: String(body) };
  if (route.response === undefined) return { status: 204, headers: more, body: '' };
  return {
    status: route.status ?? 200,
    headers: { 'content-type': 'application/json', ...more },
    body: `${JSON.stringify(body)}\n`,
  };
}
