/**
 * Why, and what would be: a certificate judged by a profile, a session traced, recent clients replayed against the
 * candidate, rules that nobody needs. Each asks and changes nothing. AsyncOS: trace, ldaptest, tlsverify. Pure.
 */
import { z } from 'zod';
import { name, pemText, verification, whichAsked } from './explanation-schemas.ts';
import { routesOf } from './route.ts';

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
});
