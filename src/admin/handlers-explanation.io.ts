/** The questions that change nothing, passed on to those who explain. Effects: theirs. */
import type { Answer, Which } from '../config/configuration-store.ts';
import { type Call, callerOf, type HandlersOf, type Reply } from './api-context.ts';
import { refused } from './handlers-configuration.io.ts';
import { type Problem, problem } from './problem.ts';
import { mayUse } from './roles.ts';
import type { EXPLANATION_ROUTES } from './routes-explanation.ts';

export const EXPLANATION_HANDLERS: HandlersOf<typeof EXPLANATION_ROUTES> = {
  'POST /api/cert/verify': async ({ body: { which, ...question } }, call, { explanations }) =>
    said(await (await explanations()).verify(whichOf(which, call), question)),

  'POST /api/trace': async ({ body: { which, ...question } }, call, { explanations }) => {
    const refusal = triesPassword(question, call);
    return refusal ?? said(await (await explanations()).trace(whichOf(which, call), question));
  },

  'POST /api/ldaptest': async ({ body: { which, ...question } }, call, { explanations }) => {
    const refusal = triesPassword(question, call);
    return refusal ?? said(await (await explanations()).testDirectory(whichOf(which, call), question));
  },

  'POST /api/tlsverify': async ({ body: { which, ...question } }, call, { explanations }) =>
    said(await (await explanations()).verifyDestination(whichOf(which, call), question)),

  'POST /api/config/candidate/dry-run': async ({ body }, call, { explanations }) =>
    said(await (await explanations()).dryRun(callerOf(call).session, body)),

  'GET /api/rules': async ({ query: { which, ...question } }, call, { explanations }) =>
    said(await (await explanations()).rules(whichOf(which, call), question)),

  'GET /api/exemptions': async ({ query: { which, ...question } }, call, { explanations }) =>
    said(await (await explanations()).exemptions(whichOf(which, call), question)),

  'GET /api/monitored': async (_, __, { explanations }) => said(await (await explanations()).monitored()),
};

/** Who answers users may not try passwords: the directory's lock-out would not know whom to lock. */
function triesPassword({ password }: { readonly password?: string | undefined }, call: Call): Problem | undefined {
  if (password === undefined || mayUse(callerOf(call).role, 'operator')) return undefined;
  return problem('forbidden', 'passwords are checked for operators: without one that of the user is taken as right');
}

function whichOf(which: string | number, call: Call): Which {
  if (which === 'running') return 'running';
  return which === 'candidate' ? { session: callerOf(call).session } : Number(which);
}

const said = <Value>(answer: Answer<{ readonly value: Value }>): Reply<Value> | Problem =>
  answer.ok ? { body: answer.value } : refused(answer.refusal);
