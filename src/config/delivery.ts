/** SMTP routes, bounce profile and outbound delivery. AsyncOS: smtproutes, bounceconfig, deliveryconfig. Pure. */
import { z } from 'zod';
import { durationMs, timeLimitMs } from './scalars.ts';

const ROUTE_HOST = 'a route host is name, name:port, [address]:port, USEDNS or /dev/null';

export const routeHost = z
  .string()
  .regex(/^(USEDNS|\/dev\/null|(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?)$/, ROUTE_HOST)
  .meta({ value: 'name, name:port, [address]:port, USEDNS or /dev/null' });

/** Key ALL, example.com or .example.com. Keys are checked in `semantics-delivery.ts`, which knows their positions. */
export const smtpRoutes = z.record(z.string(), z.array(routeHost).min(1)).meta({
  description:
    'Where mail for a domain goes. The key is a domain, .domain (everything within it) or ALL; the hosts are tried in order. USEDNS asks the DNS for mail exchangers; /dev/null accepts and discards.',
  asyncos: 'SMTP Routes',
  value: 'mapping from domain to list of: name, name:port, [address]:port, USEDNS or /dev/null',
});

const bounceProfile = z.strictObject({
  maxRetries: z.number().int().min(0).max(1_000_000).default(100).meta({
    description: 'Attempts after the first before the message bounces.',
    asyncos: 'Maximum Number of Retries',
  }),
  maxTimeInQueue: durationMs
    .prefault('72h')
    .meta({ description: 'Age at which an undelivered message bounces.', asyncos: 'Maximum Time in Queue' }),
  initialWait: durationMs
    .refine((ms) => ms >= 1, 'at least 1ms')
    .prefault('60s')
    .meta({
      description: 'Wait before the second attempt; it doubles from then on.',
      asyncos: 'Initial Time to Wait per Message',
    }),
  maxWait: durationMs
    .refine((ms) => ms >= 1, 'at least 1ms')
    .prefault('1h')
    .meta({
      description: 'Upper bound of the computed wait.',
      asyncos: 'Maximum Time to Wait per Message',
    }),
  sendBounces: z.boolean().default(true).meta({
    description: 'Send a delivery status notification to the sender of a message that bounced.',
    asyncos: 'Send Hard Bounce Messages',
  }),
});

export const delivery = z.strictObject({
  maxConnections: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(500)
    .meta({ description: 'Concurrent delivery connections in all.', asyncos: 'Maximum Outbound Concurrency' }),
  maxConnectionsPerHost: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(20)
    .meta({ description: 'Concurrent delivery connections to one host.', asyncos: 'Concurrent Connections' }),
  maxMessagesPerConnection: z.number().int().min(1).default(50).meta({
    description: 'Messages before a delivery connection is closed.',
    asyncos: 'Maximum Messages Per Connection',
  }),
  connectTimeout: timeLimitMs.prefault('30s').meta({ description: 'Longest wait for a connection and its greeting.' }),
  commandTimeout: timeLimitMs
    .prefault('5m')
    .meta({ description: 'Longest wait for the reply to a command. RFC 5321 §4.5.3.2.' }),
  dataTimeout: timeLimitMs
    .prefault('10m')
    .meta({ description: 'Longest wait for the reply after the end of the message. RFC 5321 §4.5.3.2.6.' }),
});

export const bounceProfiles = z.strictObject({
  default: bounceProfile.prefault({}).meta({ description: 'Retry schedule and bounces.', asyncos: 'Bounce Profiles' }),
});
