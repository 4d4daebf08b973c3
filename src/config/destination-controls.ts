/** How much is sent to a destination at a time, and whether encrypted. AsyncOS: Destination Controls, destconfig. Pure. */
import { z } from 'zod';

/**
 * The forms that verify the host's certificate (AsyncOS Preferred (Verify), Required (Verify)) have their place after
 * `required`; they are not accepted before they are there.
 */
const TLS_SETTINGS = ['off', 'preferred', 'required'] as const;

const entry = z.strictObject({
  tls: z.enum(TLS_SETTINGS).optional().meta({
    description:
      'Encryption to the hosts of the destination: off never asks for it; preferred uses STARTTLS where it is offered, and a handshake that fails leads to another attempt, never to clear text; required sends nothing without TLS. The certificate is not verified.',
    asyncos: 'TLS Support',
    otherwise: 'that of default; there preferred',
  }),
  maxConnections: z.number().int().min(1).max(1000).optional().meta({
    description: 'Concurrent connections.',
    asyncos: 'Concurrent Connections',
    otherwise: 'that of default; there delivery.maxConnectionsPerHost',
  }),
  maxMessagesPerConnection: z.number().int().min(1).max(1000).optional().meta({
    description: 'Messages before a connection is closed.',
    asyncos: 'Maximum Messages Per Connection',
    otherwise: 'that of default; there delivery.maxMessagesPerConnection',
  }),
  recipientLimit: z
    .union(
      [
        z.literal('none'),
        z.strictObject({
          recipients: z.number().int().min(1).max(1_000_000_000).meta({ description: 'Recipients in the period.' }),
          minutes: z.number().int().min(1).max(60).default(60).meta({ description: 'The period.' }),
        }),
      ],
      'none, or a mapping with recipients and minutes',
    )
    .optional()
    .meta({
      description: 'Recipients that are tried in a period; others wait for the next one, which is no attempt.',
      asyncos: 'Recipients (per minutes)',
      value: 'none, or { recipients, minutes }',
      otherwise: 'that of default; there none',
    }),
});

export const destinationControls = z.strictObject({
  sendTlsRequiredAlert: z.boolean().default(false).meta({
    description: 'Raise an alert (System, Warning) when TLS that a destination requires could not be negotiated.',
    asyncos: 'Send an alert when a required TLS connection fails',
  }),
  default: entry
    .prefault({})
    .meta({ description: 'For destinations without an entry of their own.', asyncos: 'Default' }),
  domains: z.record(z.string(), entry).default({}).meta({
    description:
      'Destinations by domain of the recipient: example.com, or .example.com for everything within it. The domain itself counts before the longest .domain. Each domain has connections and limits of its own, also where one SMTP route leads to all.',
    asyncos: 'Destination Controls',
    key: 'DOMAIN',
  }),
});
