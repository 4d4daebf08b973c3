/**
 * What a case of a route is: a request that succeeds, and one for each problem that is the route's own. What follows
 * from the shape of a route (nobody signed in, a lesser role, another origin, a body that is no JSON …) needs no case:
 * `routes.test.ts` derives it.
 */
import type { ProblemKind } from '../../src/admin/problem.ts';
import type { ApiKey } from '../../src/admin/routes.ts';
import type { ApiSite, Asking, Got, Person } from '../support/api-site.ts';

/** `token`, `cookie`: of somebody with the least role that may; `nobody`: without anything. */
export type Via = 'token' | 'cookie' | 'local' | 'nobody';
export type World = {
  readonly api: ApiSite;
  readonly onFile: ApiSite;
  /** Signed in by cookie in this request, where the case asks by cookie. */
  readonly person: Person;
  /** A request of the same caller, which must succeed. */
  readonly me: (key: ApiKey, asking?: Asking) => Promise<Got>;
};
export type Make = (world: World) => Asking | Promise<Asking>;
export type ProblemCase = {
  readonly via?: Via;
  /** Asked of the gateway that runs on a file. */
  readonly onFile?: true;
  readonly make: Make;
  readonly after?: (world: World) => Promise<void>;
};

export type Case = {
  /** Default: token; for routes that anybody may use, nobody. */
  readonly via?: Via;
  readonly good: Make;
  /** After all requests of this route. */
  readonly after?: (world: World) => Promise<void>;
  readonly problems?: Partial<Record<ProblemKind, Make | ProblemCase>>;
};

let made = 0;
/** Another number each time: names and values that nobody has used. */
export const another = (): number => ++made;
