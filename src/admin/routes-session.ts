/** Signing in and out. AsyncOS: the login page. Pure. */
import { z } from 'zod';
import { routesOf } from './route.ts';
import { role, timeMs } from './schemas.ts';

export const sessionInfo = z
  .strictObject({
    account: z.string(),
    role,
    how: z
      .enum(['password', 'passkey', 'certificate', 'token', 'local'])
      .meta({ description: 'How the caller proved it.' }),
    sinceMs: timeMs.optional(),
    /** Ends then in any case. */
    endsMs: timeMs.optional(),
  })
  .meta({ id: 'Session' });

export const SESSION_ROUTES = routesOf('Session')({
  'POST /api/login': {
    operation: 'login',
    summary: 'Signs in with a password. The answer sets the session cookie.',
    least: 'nobody',
    body: z.strictObject({ account: z.string().max(100), password: z.string().max(4096) }),
    response: sessionInfo,
    problems: ['login-failed', 'too-many-attempts'],
    asksOnly: true,
  },
  'POST /api/login/certificate': {
    operation: 'loginWithCertificate',
    summary: 'Signs in with the client certificate of the connection. The answer sets the session cookie.',
    least: 'nobody',
    response: sessionInfo,
    problems: ['login-failed', 'too-many-attempts'],
    asksOnly: true,
  },
  'GET /api/session': {
    operation: 'getSession',
    summary: 'Who is signed in.',
    least: 'help-desk',
    response: sessionInfo,
  },
  'DELETE /api/session': {
    operation: 'logout',
    summary: 'Signs out: the session ends.',
    least: 'help-desk',
  },
  'PUT /api/session/password': {
    operation: 'changeOwnPassword',
    summary: 'Changes one’s own password. Every other session of the account ends.',
    least: 'help-desk',
    body: z.strictObject({ current: z.string().max(4096), password: z.string().max(4096) }),
    problems: ['forbidden', 'login-failed', 'too-many-attempts'],
  },
});
