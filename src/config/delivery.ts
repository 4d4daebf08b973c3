/** SMTP routes, bounce profile and outbound delivery. Pure. */
import { z } from 'zod';
import { durationMs } from './scalars.ts';

const routeHost = z
  .string()
  .regex(/^(USEDNS|\/dev\/null|(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?)$/, 'a route host is name, name:port, [address]:port, USEDNS or /dev/null');

/** Key ALL, example.com or .example.com. Keys are checked in `semantics.ts`, which knows their positions. */
export const smtpRoutes = z.record(z.string(), z.array(routeHost).min(1));

export const bounceProfile = z.strictObject({
  maxRetries: z.number().int().min(0).default(100),
  maxTimeInQueue: durationMs.prefault('72h'),
  initialWait: durationMs.prefault('60s'),
  maxWait: durationMs.prefault('1h'),
  sendBounces: z.boolean().default(true),
});

export const delivery = z.strictObject({
  maxConnections: z.number().int().min(1).max(10_000).default(500),
  maxConnectionsPerHost: z.number().int().min(1).max(1000).default(20),
  maxMessagesPerConnection: z.number().int().min(1).default(50),
  connectTimeout: durationMs.prefault('30s'),
  commandTimeout: durationMs.prefault('5m'),
  dataTimeout: durationMs.prefault('10m'),
});

export const bounceProfiles = z.strictObject({ default: bounceProfile.prefault({}) });
