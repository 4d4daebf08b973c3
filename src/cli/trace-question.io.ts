/**
 * What `sallyport trace` is asked about: read from its options, or asked for as AsyncOS asks. Effects: files, the dialogue.
 */
import { readFileSync } from 'node:fs';
import { whyOf } from '../core/errors.ts';
import { certificatesOf } from '../explain/certificate-lookup.ts';
import { normaliseIp } from '../core/network.ts';
import type { TraceQuestion } from '../explain/trace.io.ts';
import type { Arguments } from './arguments.ts';
import type { Dialogue } from './dialogue.io.ts';
import { readPassword } from './password.io.ts';
import { choice, line, required, secret, type Understood, yesNo } from './question.ts';

/** What is asked, or what is wrong with it. */
export async function questionOf({ options, flags, rest }: Arguments): Promise<TraceQuestion | string> {
  const { 'from-ip': fromIp, sender, listener, hostname, user, certificate, message } = options;
  if (fromIp === undefined) return '--from-ip is needed: an IPv4 or IPv6 address';
  if (sender === undefined) return "--sender is needed: an address, or '' for the null sender";
  if (rest.length === 0) return 'at least one RECIPIENT is needed';
  const certificates = certificate === undefined ? [] : readCertificates(certificate);
  if (typeof certificates === 'string') return certificates;
  const octets = message === undefined ? undefined : readMessage(message);
  if (typeof octets === 'string') return octets;
  const password = user !== undefined && flags.has('ask-password') ? await readPassword() : undefined;
  return {
    ...(listener === undefined ? {} : { listener }),
    fromIp,
    ...(hostname === undefined ? {} : { hostname }),
    ...(flags.has('tls') ? { tls: true } : {}),
    certificates,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    sender,
    recipients: rest,
    ...(octets === undefined ? {} : { message: octets }),
  };
}

function readCertificates(file: string): readonly Uint8Array[] | string {
  const bytes = readFile(file);
  if (typeof bytes === 'string') return bytes;
  const found = certificatesOf(bytes);
  return typeof found === 'string' ? `${file}: ${found}` : found;
}

function readMessage(file: string): Buffer | string {
  const bytes = readFile(file);
  return typeof bytes === 'string' ? bytes : messageOf(bytes.toString('latin1'));
}

function readFile(file: string): Buffer | string {
  try {
    return readFileSync(file);
  } catch (error) {
    return `cannot read a file: ${whyOf(error)}`;
  }
}

/** A file's lines end as its editor ends them; a session's end with CRLF. */
const messageOf = (latin1: string): Buffer => Buffer.from(latin1.replace(/\r?\n/g, '\r\n'), 'latin1');

const DIRECTIONS = {
  ip: '\nEnter the source IP',
  name: '\nEnter the fully qualified domain name of the source IP (blank: looked up as a session would)',
  listener: '\nSelect the listener to trace behavior on:',
  tls: '\nDoes the client begin TLS?',
  card: '\nEnter the file of the client certificate (blank: none)',
  user: '\nEnter the user who authenticates (blank: nobody)',
  password: '\nEnter the password (blank: that of the user is taken as right):',
  sender: '\nEnter the Envelope Sender address (blank: the null sender):',
  recipients: '\nEnter the Envelope Recipient addresses.  Separate multiple addresses by commas.',
  disk: '\nLoad message from disk?',
  file: '\nEnter the file of the message',
  body: "\nEnter or paste the message here.  Enter '.' on a blank line to end.",
} as const;

const understood = <T>(value: T): Understood<T> => ({ ok: true, value });
const not = (why: string): Understood<never> => ({ ok: false, why });

/** `listeners`: their names. */
export async function askForTrace(dialogue: Dialogue, listeners: readonly string[]): Promise<TraceQuestion> {
  const fromIp = await dialogue.ask(line({ text: DIRECTIONS.ip, read: ipAddress }));
  const hostname = await dialogue.ask(line({ text: DIRECTIONS.name }));
  const [first, ...others] = listeners.map((name) => ({ value: name, label: name }));
  const listener =
    first === undefined || others.length === 0
      ? first?.value
      : await dialogue.ask(choice(DIRECTIONS.listener, [first, ...others], first.value));
  const tls = await dialogue.ask(yesNo(DIRECTIONS.tls, true));
  const certificates = tls ? await dialogue.ask(line({ text: DIRECTIONS.card, read: certificateFile })) : [];
  const user = await dialogue.ask(line({ text: DIRECTIONS.user }));
  const password = user === '' ? '' : await dialogue.ask(secret(DIRECTIONS.password));
  const sender = await dialogue.ask(line({ text: DIRECTIONS.sender }));
  const recipients = await dialogue.ask(line({ text: DIRECTIONS.recipients, read: addressList }));
  const message = (await dialogue.ask(yesNo(DIRECTIONS.disk, false)))
    ? await dialogue.ask(line({ text: DIRECTIONS.file, read: messageFile }))
    : await dialogue.lines(DIRECTIONS.body);
  return {
    fromIp,
    certificates,
    sender,
    recipients,
    ...(hostname === '' ? {} : { hostname }),
    ...(listener === undefined ? {} : { listener }),
    ...(tls ? { tls } : {}),
    ...(user === '' ? {} : { user }),
    ...(password === '' ? {} : { password }),
    ...(typeof message !== 'string' ? { message } : message === '' ? {} : { message: messageOf(latin1Of(message)) }),
  };
}

const latin1Of = (text: string): string => Buffer.from(text).toString('latin1');

const ipAddress = (text: string): Understood<string> =>
  normaliseIp(text) === undefined ? not('Enter an IPv4 or IPv6 address.') : understood(text);

function certificateFile(file: string): Understood<readonly Uint8Array[]> {
  const found = file === '' ? [] : readCertificates(file);
  return typeof found === 'string' ? not(found) : understood(found);
}

function messageFile(file: string): Understood<Buffer> {
  const given = required(file);
  const found = given.ok ? readMessage(file) : given.why;
  return typeof found === 'string' ? not(found) : understood(found);
}

function addressList(text: string): Understood<readonly string[]> {
  const addresses = text.split(',').flatMap((address) => address.trim() || []);
  return addresses.length === 0 ? not('An answer is needed.') : understood(addresses);
}
