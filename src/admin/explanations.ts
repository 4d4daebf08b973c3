/**
 * What the API asks of those who explain decisions: `cert verify`, `trace`, a dry run, the directory test and the rest
 * of the questions that change nothing. `explain/explanations.io.ts` answers them, because they join
 * stages. Pure: types only.
 */
import type { Answer, Which } from '../config/configuration-store.ts';
import type { RouteInput, RouteOutput } from './route.ts';
import type { EXPLANATION_ROUTES } from './routes-explanation.ts';

type Table = typeof EXPLANATION_ROUTES;
type Key = keyof Table;
type Body<K extends Key> = Omit<RouteInput<Table[K]>['body'], 'which'>;
type DryRun = 'POST /api/config/candidate/dry-run';
type Query<K extends Key> = Omit<RouteInput<Table[K]>['query'], 'which'>;
type Result<K extends Key> = Promise<Answer<{ readonly value: RouteOutput<Table[K]> }>>;

/** `which`: the configuration that is asked about. A refusal is the store's, or says what the question lacks. */
export type Explanations = {
  verify(which: Which, question: Body<'POST /api/cert/verify'>): Result<'POST /api/cert/verify'>;
  trace(which: Which, question: Body<'POST /api/trace'>): Result<'POST /api/trace'>;
  testDirectory(which: Which, question: Body<'POST /api/ldaptest'>): Result<'POST /api/ldaptest'>;
  verifyDestination(which: Which, question: Body<'POST /api/tlsverify'>): Result<'POST /api/tlsverify'>;
  /** Of the session's candidate; where a file is the truth, of the file as it is now. */
  dryRun(session: string, question: Body<DryRun>): Result<DryRun>;
  rules(which: Which, question: Query<'GET /api/rules'>): Result<'GET /api/rules'>;
  exemptions(which: Which, question: Query<'GET /api/exemptions'>): Result<'GET /api/exemptions'>;
  monitored(): Result<'GET /api/monitored'>;
};
