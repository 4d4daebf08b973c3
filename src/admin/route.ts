/**
 * What a route of the API is. One table (`routes.ts`) holds them all; from it come the server's decisions, the OpenAPI
 * document, the reference page and the types of every client. A route's key is its method and path, `GET /api/status`;
 * the path's `{names}` are its parameters. Pure.
 */
import type { z } from 'zod';
import type { ProblemKind } from './problem.ts';
import type { Role } from './roles.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type RouteKey = `${Method} /${string}`;

export type Route = {
  /** Name in the OpenAPI document: `getStatus`. */
  readonly operation: string;
  readonly summary: string;
  readonly subject: string;
  /** The least role that may use it; `nobody`: before anybody has signed in. */
  readonly least: Role | 'nobody';
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Larger than the usual limit. */
  readonly maxBodyBytes?: number;
  /** Undefined: 204, or with `text` a document that is no JSON. */
  readonly response?: z.ZodType;
  readonly text?: { readonly contentType: string; readonly means: string };
  readonly status?: 200 | 201;
  /** The answer carries an entity tag. */
  readonly etag?: true;
  /** `needed`: without If-Match the change is refused with 428. */
  readonly ifMatch?: 'needed' | 'possible';
  /** Beside those that follow from the shape of the route: see `problemsOf`. */
  readonly problems?: readonly ProblemKind[];
  /** Asks and changes nothing although it is no GET: not in the audit record. */
  readonly asksOnly?: true;
  /** Members of body or query that the audit record keeps; never a secret. */
  readonly recorded?: readonly string[];
};

export type Routes = Readonly<Record<RouteKey, Route>>;

/** Keeps the exact types of a table of routes. */
export const routesOf =
  <const Subject extends string>(subject: Subject) =>
  <const Table extends Readonly<Record<RouteKey, Omit<Route, 'subject'>>>>(
    table: Table,
  ): { readonly [Key in keyof Table]: Table[Key] & { readonly subject: Subject } } =>
    Object.fromEntries(Object.entries(table).map(([key, route]) => [key, { ...route, subject }])) as never;

export const methodOf = (key: string): Method => key.slice(0, key.indexOf(' ')) as Method;
export const pathOf = (key: string): string => key.slice(key.indexOf(' ') + 1);

/** A change is recorded, and by cookie allowed from the gateway's own origin only. */
export const isChange = (key: string, route: Route): boolean => methodOf(key) !== 'GET' && route.asksOnly !== true;

/** Beside those of `problemsOf`, any route may answer these. */
export const ALWAYS_POSSIBLE: readonly ProblemKind[] = ['internal', 'unavailable'];

/** Every problem that a route itself can answer. */
export function problemsOf(key: string, route: Route): readonly ProblemKind[] {
  const kinds = new Set<ProblemKind>(route.problems);
  if (route.path !== undefined) kinds.add('malformed');
  if (route.query !== undefined) kinds.add('malformed');
  if (route.body !== undefined)
    for (const kind of ['malformed', 'too-large', 'unsupported-media-type', 'invalid'] as const) kinds.add(kind);
  if (route.least !== 'nobody') kinds.add('unauthenticated');
  if (route.least !== 'nobody' && route.least !== 'help-desk') kinds.add('forbidden');
  if (methodOf(key) !== 'GET') kinds.add('foreign-origin');
  if (route.ifMatch !== undefined) kinds.add('precondition-failed');
  if (route.ifMatch === 'needed') kinds.add('precondition-required');
  return [...kinds];
}

type Value<T> = T extends z.ZodType ? z.output<T> : undefined;
type Given<T> = T extends z.ZodType ? z.input<T> : undefined;
type Field<R, Name extends string> = R extends { readonly [key in Name]: infer T } ? T : undefined;

/** What a handler of the route gets. */
export type RouteInput<R> = {
  readonly path: Value<Field<R, 'path'>>;
  readonly query: Value<Field<R, 'query'>>;
  readonly body: Value<Field<R, 'body'>>;
  /** The entity tag of If-Match, without quotes; undefined where there is none or it is `*`. */
  readonly ifMatch: string | undefined;
};

type Immutable<T> = T extends readonly (infer Each)[]
  ? readonly Immutable<Each>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

/** What a handler answers as the body. */
export type RouteOutput<R> = R extends { readonly response: infer T }
  ? Immutable<Value<T>>
  : R extends { readonly text: object }
    ? string
    : undefined;

type GivenField<R, Name extends 'path' | 'query' | 'body'> = R extends { readonly [key in Name]: infer T }
  ? { readonly [key in Name]: Given<T> }
  : { readonly [key in Name]?: undefined };

/** What a client hands in. */
export type RouteRequest<R> = GivenField<R, 'path'> &
  GivenField<R, 'query'> &
  GivenField<R, 'body'> & {
    readonly ifMatch?: string;
  };

export type RouteMatch<Key extends string = string> =
  | { readonly kind: 'route'; readonly key: Key; readonly parameters: Readonly<Record<string, string>> }
  /** The path is there, with other methods. */
  | { readonly kind: 'method'; readonly allowed: readonly string[] }
  | { readonly kind: 'none' };

type Compiled<Key> = { readonly key: Key; readonly method: string; readonly steps: readonly string[] };

/** Finds routes by method and path: compares step by step, so that no path can cost more than its length. */
export class RouteFinder<Key extends string> {
  readonly #routes: readonly Compiled<Key>[];

  constructor(keys: readonly Key[]) {
    this.#routes = keys.map((key) => ({ key, method: methodOf(key), steps: pathOf(key).split('/') }));
  }

  find(method: string, path: string): RouteMatch<Key> {
    const steps = path.split('/');
    const allowed: string[] = [];
    // A fixed step wins over a parameter: /api/accounts/me is not the account of that name.
    let best: { readonly key: Key; readonly parameters: Record<string, string>; readonly fixed: number } | undefined;
    for (const route of this.#routes) {
      const parameters = matchSteps(route.steps, steps);
      if (parameters === undefined) continue;
      if (route.method !== method) {
        allowed.push(route.method);
        continue;
      }
      const fixed = route.steps.length - Object.keys(parameters).length;
      if (best === undefined || fixed > best.fixed) best = { key: route.key, parameters, fixed };
    }
    if (best !== undefined) return { kind: 'route', key: best.key, parameters: best.parameters };
    return allowed.length > 0 ? { kind: 'method', allowed } : { kind: 'none' };
  }
}

function matchSteps(pattern: readonly string[], steps: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== steps.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [i, wanted] of pattern.entries()) {
    const step = steps[i] ?? '';
    if (wanted.startsWith('{')) {
      const value = decodeStep(step);
      if (value === undefined || value === '') return undefined;
      parameters[wanted.slice(1, -1)] = value;
    } else if (wanted !== step) return undefined;
  }
  return parameters;
}

function decodeStep(step: string): string | undefined {
  try {
    return decodeURIComponent(step);
  } catch {
    return undefined;
  }
}
