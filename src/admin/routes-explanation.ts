/**
 * Why, and what would be: a certificate judged by a profile, a session traced, recent clients replayed against the
 * candidate, rules that nobody needs. Each asks and changes nothing. AsyncOS: trace, ldaptest, tlsverify. Pure.
 */
import { z } from 'zod';
import {
  directoryQuestion,
  directoryTest,
  destinationQuestion,
  destinationVerification,
  dryRun,
  exemptionReport,
  monitoredReport,
  name,
  pemText,
  ruleReport,
  traceQuestion,
  traceReport,
  verification,
  whichAsked,
  whichAskedText,
} from './explanation-schemas.ts';
import { routesOf } from './route.ts';

const days = (usual: number) =>
  z.int().min(1).max(3660).default(usual).meta({ description: 'Clients seen in so many days.' });
const queryDays = z.coerce.number().int().min(0).max(3660);

export const EXPLANATION_ROUTES = routesOf('Explanation')({
  'POST /api/cert/verify': {
    operation: 'verifyCertificate',
    summary: 'Would this client certificate be accepted by that profile, and why: each check, list, answer and query.',
    least: 'help-desk',
    body: z.strictObject({ which: whichAsked, profile: name, certificate: pemText }),
    response: verification,
    problems: ['not-found', 'not-possible', 'conflict'],
    asksOnly: true,
  },
  'POST /api/trace': {
    operation: 'trace',
    summary: 'What would become of a session, stage by stage with the rule that decides; nothing is sent.',
    least: 'help-desk',
    body: traceQuestion,
    maxBodyBytes: 15 * 1024 * 1024,
    response: traceReport,
    problems: ['not-found', 'not-possible', 'conflict', 'forbidden'],
    asksOnly: true,
  },
  'POST /api/ldaptest': {
    operation: 'testDirectory',
    summary: 'Asks the directory what a session would ask about a user or a certificate, and tells every stage.',
    least: 'help-desk',
    body: directoryQuestion,
    response: directoryTest,
    problems: ['not-found', 'not-possible', 'conflict', 'forbidden'],
    asksOnly: true,
  },
  'POST /api/tlsverify': {
    operation: 'verifyDestination',
    summary: 'Connects to the hosts that mail for a domain goes to, and tells each step of TLS; no mail is sent.',
    least: 'operator',
    body: destinationQuestion,
    response: destinationVerification,
    problems: ['not-found', 'not-possible', 'conflict'],
    asksOnly: true,
  },
  'POST /api/config/candidate/dry-run': {
    operation: 'dryRunCandidate',
    summary: 'Whose verdict a commit of the candidate would change, tried on the clients of the last days.',
    least: 'read-only',
    body: z.strictObject({ days: days(7) }),
    response: dryRun,
    problems: ['not-found', 'conflict'],
    asksOnly: true,
  },
  'GET /api/rules': {
    operation: 'listRules',
    summary:
      'Hits and last hit of each sender group entry, policy, profile, route, destination and exemption; never hit first.',
    least: 'read-only',
    query: z.strictObject({
      which: whichAskedText,
      unusedDays: queryDays.optional().meta({ description: 'Only those without a hit in so many days.' }),
    }),
    response: ruleReport,
    problems: ['not-found', 'conflict', 'invalid'],
  },
  'GET /api/exemptions': {
    operation: 'listExemptions',
    summary: 'Who may use a password instead of a card: until when, why, granted by whom, how often used.',
    least: 'read-only',
    query: z.strictObject({
      which: whichAskedText,
      soonDays: queryDays.default(14).meta({ description: '`ends soon` is within so many days.' }),
    }),
    response: exemptionReport,
    problems: ['not-found', 'conflict', 'invalid'],
  },
  'GET /api/monitored': {
    operation: 'listMonitored',
    summary: 'Who still sends without a card where the allowance is only monitored: how often, since when.',
    least: 'read-only',
    response: monitoredReport,
  },
});
