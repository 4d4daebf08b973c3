/**
 * Listeners, host access table, mail flow policies, recipient access table: who may connect and on which terms.
 * AsyncOS: listenerconfig, HAT, Mail Flow Policies, RAT. Pure.
 */
import { z } from 'zod';
import { name, named, response, sizeBytes, socketAddress, timeLimitMs } from './scalars.ts';

const limit = z.number().int().min(1).max(1_000_000);
const hostname = z
  .string()
  .max(255)
  .regex(/^[A-Za-z0-9.-]*$/, 'a host name has letters, digits, "-" and "."');

const mailFlowPolicy = z.strictObject({
  behavior: z.enum(['accept', 'relay', 'reject', 'tcpRefuse', 'continue']).optional().meta({
    description:
      'What the host access table does with a connection: accept (the recipient access table decides), relay (any recipient), reject (greeting 554), tcpRefuse (no greeting), continue (look at the next sender group).',
    asyncos: 'Connection Behavior',
    otherwise: 'accept',
  }),
  tls: z.enum(['off', 'preferred', 'required']).optional().meta({
    description:
      'Encryption of the session: off does not offer STARTTLS; required admits only EHLO, NOOP, QUIT and STARTTLS before it.',
    asyncos: 'TLS',
    otherwise: 'off',
  }),
  verifyClientCertificate: z.boolean().optional().meta({
    description:
      'Ask for a client certificate and refuse a session whose certificate is missing (with tls: required) or not good.',
    asyncos: 'Verify Client Certificate',
    otherwise: 'false',
  }),
  smtpAuth: z.enum(['off', 'preferred', 'required']).optional().meta({
    description:
      'SMTP AUTH: preferred offers it, required refuses MAIL FROM without an identity. A client certificate that names a user satisfies it.',
    asyncos: 'SMTP Authentication',
    otherwise: 'off',
  }),
  requireTlsToOfferSmtpAuth: z.boolean().optional().meta({
    description: 'Offer AUTH only inside TLS.',
    asyncos: 'Require TLS To Offer SMTP Authentication',
    otherwise: 'false',
  }),
  maxConnectionsPerAddress: limit.optional().meta({
    description: 'Concurrent connections from one address.',
    asyncos: 'Max. Concurrent Connections From a Single IP',
    otherwise: '1000; THROTTLED 10',
  }),
  maxMessagesPerConnection: limit.optional().meta({
    description: 'Messages in one connection; the next MAIL FROM gets 421.',
    asyncos: 'Max. Messages Per Connection',
    otherwise: '1000; THROTTLED 10',
  }),
  maxRecipientsPerMessage: limit.optional().meta({
    description: 'Recipients of one message; further ones get 452.',
    asyncos: 'Max. Recipients Per Message',
    otherwise: '1000; THROTTLED 20',
  }),
  maxMessageSize: sizeBytes
    .refine((bytes) => bytes >= 1024, 'the smallest message size is 1k')
    .optional()
    .meta({
      description: 'Largest message, announced with SIZE; at least 1k.',
      asyncos: 'Max. Message Size',
      otherwise: '100M; THROTTLED 1M',
    }),
  banner: z
    .strictObject({
      code: z.number().int().min(200).max(299).default(220).meta({ description: 'Three-digit reply code.' }),
      text: z.string().max(400).meta({ description: 'Text after the host name.' }),
    })
    .optional()
    .meta({ description: 'The greeting.', asyncos: 'Custom SMTP Banner', otherwise: '220 with the text ESMTP' }),
  rejectBanner: response.optional().meta({
    description: 'The greeting of the behaviour reject.',
    asyncos: 'Custom SMTP Reject Banner',
    otherwise: '554 with the reason in words',
  }),
  bannerHostname: hostname.optional().meta({
    description: 'Host name in the greeting instead of the gateway’s.',
    asyncos: 'Override SMTP Banner Hostname',
    otherwise: 'hostname',
  }),
});

const senderGroup = z.strictObject({
  senderGroup: name.meta({ description: 'Name of the group; ALL takes every sender, has no list and comes last.' }),
  senders: z.array(z.string().min(1).max(300)).optional().meta({
    description:
      'Addresses, CIDR, ranges, partial addresses (192.0.2.), host names, .partial names. Host names need a reverse and a forward look-up that agree.',
    asyncos: 'Sender List',
  }),
  policy: name.meta({
    refersTo: 'mailFlowPolicies',
    description:
      'A mail flow policy of this file, or one of the built-in ACCEPTED, RELAYED, TRUSTED, THROTTLED, BLOCKED.',
    asyncos: 'Mail Flow Policy',
  }),
});

const recipientAccess = z.strictObject({
  recipients: z.array(z.string().min(1).max(400)).min(1).meta({
    description: 'example.com, .example.com, user@, user@example.com, [192.0.2.1] or ALL.',
    asyncos: 'Recipient Address',
  }),
  action: z.enum(['accept', 'reject']).meta({ description: 'What happens to these recipients.', asyncos: 'Action' }),
  response: response.optional().meta({
    description: 'Reply of the action reject.',
    asyncos: 'Custom SMTP Response',
    otherwise: '550 5.1.1',
  }),
});

const listener = z.strictObject({
  type: z.enum(['private', 'public']).meta({
    description:
      'public: mail from outside, the recipient access table decides on recipients; private: mail from inside.',
    asyncos: 'Type of Listener',
  }),
  address: z
    .array(socketAddress)
    .min(1)
    .meta({ description: 'Where it listens.', asyncos: 'Interface and TCP Port', example: ['127.0.0.1:2525'] }),
  certificate: name.optional().meta({
    refersTo: 'certificates',
    description: 'A certificate of this file; without it a demonstration certificate is made, which is not secure.',
    asyncos: 'Certificate',
  }),
  tlsMode: z.enum(['starttls', 'implicit']).default('starttls').meta({
    description: 'starttls: the session begins in the clear; implicit: it begins with the handshake. RFC 8314 §3.3.',
  }),
  smtpAuthProfile: z
    .union(
      [
        name,
        z
          .array(name.meta({ refersTo: 'smtpAuthProfiles' }))
          .min(1)
          .max(16),
      ],
      'a profile name, or a list of up to 16 profile names',
    )
    .optional()
    .meta({
      refersTo: 'smtpAuthProfiles',
      description:
        'The smtpAuthProfiles entry that says who people are. A list of certificate profiles: the first whose authorities give a certificate a valid path decides about it.',
      asyncos: 'SMTP Authentication Profile',
      value: 'name, or list of names',
    }),
  hat: z
    .array(senderGroup)
    .min(1)
    .meta({
      description:
        'Host access table: the first group that matches decides. Without a group ALL the rest gets ACCEPTED (public) or BLOCKED (private).',
      asyncos: 'HAT',
      example: [
        { senderGroup: 'RELAYLIST', senders: ['127.0.0.1'], policy: 'RELAYED' },
        { senderGroup: 'ALL', policy: 'BLOCKED' },
      ],
    }),
  rat: z.array(recipientAccess).optional().meta({
    description:
      'Recipient access table of a public listener: the first entry that matches decides, all other recipients are rejected.',
    asyncos: 'RAT',
  }),
  maxConcurrency: z.number().int().min(1).max(100_000).optional().meta({
    description: 'Concurrent connections.',
    asyncos: 'Max. Concurrent Connections',
    otherwise: '1000 public, 600 private',
  }),
  tcpQueue: z
    .number()
    .int()
    .min(1)
    .max(65_535)
    .default(50)
    .meta({ description: 'Connections that may wait to be accepted.', asyncos: 'TCP Listen Queue Size' }),
  defaultDomain: z
    .string()
    .max(255)
    .regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/, 'a domain has labels of letters, digits and "-" with dots between')
    .optional()
    .meta({ description: 'Domain of addresses and login names that have none.', asyncos: 'Default Domain' }),
  bareLineEnds: z.enum(['reject', 'clean']).default('reject').meta({
    description:
      'A bare CR or LF inside a message: reject with 550 5.6.11, or clean (made CRLF). Neither ever ends DATA.',
    asyncos: 'Clean messages of bare CR and LF',
  }),
  receivedHeader: z
    .boolean()
    .default(true)
    .meta({ description: 'Put a Received field on top of each message.', asyncos: 'Add Received Header' }),
  commandTimeout: timeLimitMs
    .prefault('5m')
    .meta({ description: 'Longest wait for the next command. RFC 5321 §4.5.3.2.7.' }),
  dataTimeout: timeLimitMs.prefault('5m').meta({ description: 'Longest wait for more of a message.' }),
  unsuccessfulTimeout: timeLimitMs.prefault('5m').meta({
    description: 'Longest time without a message that was accepted.',
    asyncos: 'Timeout for Unsuccessful Inbound Connections',
  }),
  totalTimeout: timeLimitMs.prefault('15m').meta({
    description: 'Longest connection; ended between two messages.',
    asyncos: 'Total Time Limit for All Inbound Connections',
  }),
});

export const listeners = named(listener);
export const mailFlowPolicies = named(mailFlowPolicy);
