/** Listeners, host access table, mail flow policies, recipient access table: who may connect and on which terms. Pure. */
import { z } from 'zod';
import { durationMs, name, named, response, sizeBytes, socketAddress } from './scalars.ts';

export const mailFlowPolicy = z.strictObject({
  behavior: z.enum(['accept', 'relay', 'reject', 'tcpRefuse', 'continue']).optional().meta({
    description: 'What the host access table does with a connection: accept (recipient access table decides), relay (any recipient), reject (greeting 554), tcpRefuse (no greeting), continue (look at the next sender group).',
    asyncos: 'Connection Behavior',
  }),
  tls: z.enum(['off', 'preferred', 'required']).optional().meta({ description: 'Encryption of the session; off does not offer STARTTLS.', asyncos: 'TLS' }),
  verifyClientCertificate: z.boolean().optional().meta({ description: 'Ask for a client certificate and refuse a session whose certificate is missing (tls: required) or not good.', asyncos: 'Verify Client Certificate' }),
  smtpAuth: z.enum(['off', 'preferred', 'required']).optional().meta({ description: 'SMTP AUTH; required is satisfied by a client certificate that names a user.', asyncos: 'SMTP Authentication' }),
  requireTlsToOfferSmtpAuth: z.boolean().optional().meta({ description: 'Offer AUTH only inside TLS.', asyncos: 'Require TLS To Offer SMTP Authentication' }),
  maxConnectionsPerAddress: z.number().int().min(1).optional().meta({ description: 'Concurrent connections from one address.', asyncos: 'Max. Concurrent Connections From a Single IP' }),
  maxMessagesPerConnection: z.number().int().min(1).optional().meta({ asyncos: 'Max. Messages Per Connection' }),
  maxRecipientsPerMessage: z.number().int().min(1).optional().meta({ asyncos: 'Max. Recipients Per Message' }),
  maxMessageSize: sizeBytes.refine((bytes) => bytes >= 1024, 'the smallest message size is 1k').optional().meta({ asyncos: 'Max. Message Size' }),
  banner: z.strictObject({ code: z.number().int().min(200).max(299).default(220), text: z.string().max(400) }).optional().meta({ description: 'Text after the host name in the 220 greeting.', asyncos: 'Custom SMTP Banner' }),
  rejectBanner: response.optional().meta({ description: 'Greeting of the behaviour reject.', asyncos: 'Custom SMTP Reject Banner' }),
  bannerHostname: z.string().max(255).optional().meta({ description: 'Host name in the greeting instead of the gateway’s.', asyncos: 'Override SMTP Banner Hostname' }),
});

export const senderGroup = z.strictObject({
  senderGroup: name.meta({ description: 'Name of the group; ALL takes every sender and has no list.' }),
  senders: z.array(z.string().min(1)).optional().meta({ description: 'Addresses, CIDR, ranges, partial addresses, host names, .partial names.' }),
  policy: name.meta({ description: 'A mail flow policy of this file, or one of the built-in ACCEPTED, RELAYED, TRUSTED, THROTTLED, BLOCKED.' }),
});

export const recipientAccess = z.strictObject({
  recipients: z.array(z.string().min(1)).min(1).meta({ description: 'example.com, .example.com, user@, user@example.com, [192.0.2.1] or ALL.' }),
  action: z.enum(['accept', 'reject']),
  response: response.optional(),
});

export const listener = z.strictObject({
  type: z.enum(['private', 'public']).meta({ description: 'public: mail from outside, the recipient access table decides on recipients; private: mail from inside.' }),
  address: z.array(socketAddress).min(1),
  certificate: name.optional().meta({ description: 'A certificate of this file; without it a demonstration certificate is made, which is not secure.' }),
  tlsMode: z.enum(['starttls', 'implicit']).default('starttls'),
  smtpAuthProfile: name.optional(),
  hat: z.array(senderGroup).min(1).meta({ description: 'Host access table: the first group that matches decides.', asyncos: 'HAT' }),
  rat: z.array(recipientAccess).optional().meta({ description: 'Recipient access table of a public listener; the first entry that matches decides, all other recipients are rejected.', asyncos: 'RAT' }),
  maxConcurrency: z.number().int().min(1).max(100_000).optional().meta({ description: 'Concurrent connections; 1000 for a public, 600 for a private listener.' }),
  tcpQueue: z.number().int().min(1).max(65_535).default(50),
  defaultDomain: z.string().min(1).max(255).optional(),
  bareLineEnds: z.enum(['reject', 'clean']).default('reject').meta({ description: 'A bare CR or LF inside a message: reject with 550 5.6.11, or clean (made CRLF). Neither ever ends DATA.', asyncos: 'Clean messages of bare CR and LF' }),
  receivedHeader: z.boolean().default(true),
  commandTimeout: durationMs.prefault('5m').meta({ description: 'Longest wait for the next command. RFC 5321 §4.5.3.2.7.' }),
  dataTimeout: durationMs.prefault('5m').meta({ description: 'Longest wait for more of a message.' }),
  unsuccessfulTimeout: durationMs.prefault('5m').meta({ description: 'Longest time without a message that was accepted.', asyncos: 'Timeout for Unsuccessful Inbound Connections' }),
  totalTimeout: durationMs.prefault('15m').meta({ description: 'Longest connection; ended between two messages.', asyncos: 'Total Time Limit for All Inbound Connections' }),
});

export const listeners = named(listener);
export const mailFlowPolicies = named(mailFlowPolicy);
