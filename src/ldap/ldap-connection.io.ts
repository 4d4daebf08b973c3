/**
 * One connection to a directory host: several searches at a time, told apart by message id (RFC 4511 §4.1.1). It never
 * connects again by itself, so that nothing is ever asked on a connection that has lost its bind. The LDAP library
 * encodes and decodes; result codes, time limits and bounds are ours.
 * Effects: the socket handed in, timers.
 */
import type { Socket } from 'node:net';
import {
  AbandonRequest,
  type BerWriter,
  BindRequest,
  BindResponse,
  Filter as WireFilter,
  MessageParser,
  type Message,
  SearchEntry,
  SearchFilter,
  type SearchFilterValues,
  SearchReference,
  SearchRequest,
  SearchResponse,
  UnbindRequest,
} from 'ldapts';
import type { Entry, Search } from './directory.ts';
import { DirectoryFailure } from './directory-failure.ts';
import { type AssertionValue, type Filter, renderFilter, textOrOctets } from './filter.ts';
import { FramingError, MessageFramer } from './message-framer.ts';

export type Outcome = { readonly code: number; readonly entries: readonly Entry[] };

type Pending = {
  readonly kind: 'search' | 'bind';
  readonly entries: Entry[];
  readonly maxEntries: number;
  readonly sentMs: number;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (failure: DirectoryFailure) => void;
};

/** Of one message; a directory that sends more is broken or means harm. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const MAX_MESSAGE_ID = 2 ** 31 - 2;
const NO_REQUESTS: Map<string, { message: Message }> = new Map();

export class LdapConnection {
  readonly #socket: Socket;
  readonly #framer: MessageFramer;
  readonly #parser = new MessageParser();
  readonly #pending = new Map<number, Pending>();
  readonly #onClose: (connection: LdapConnection) => void;
  #nextId = 1;
  #lastHeardMs = 0;
  #open = true;

  /** `onClose` is called once, after everything that was pending has been rejected. */
  constructor(socket: Socket, onClose: (connection: LdapConnection) => void, maxMessageBytes = MAX_MESSAGE_BYTES) {
    this.#socket = socket;
    this.#framer = new MessageFramer(maxMessageBytes);
    this.#onClose = onClose;
    this.#parser.on('message', (message) => this.#receive(message));
    this.#parser.on('error', () => this.destroy('malformed answer'));
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.destroy(error.message));
    socket.on('close', () => this.destroy('connection closed'));
    socket.on('end', () => this.destroy('connection closed by the server'));
    if (socket.destroyed) this.destroy('connection closed');
  }

  get open(): boolean {
    return this.#open;
  }

  /** Rejects with DirectoryFailure `lost`, `slow` or `timeout`; the last ends the connection. */
  search({ baseDn, filter, attributes, sizeLimit, scope = 'sub' }: Search, timeoutMs: number): Promise<Outcome> {
    const id = this.#takeId();
    const request = new SearchRequest({
      messageId: id,
      baseDN: baseDn,
      scope,
      // RFC 4511 §4.5.1.3: an alias could lead outside the base.
      derefAliases: 'never',
      sizeLimit,
      timeLimit: Math.ceil(timeoutMs / 1000),
      filter: new TreeFilter(filter),
      attributes: [...attributes],
    });
    return this.#send(id, request, { kind: 'search', timeoutMs, maxEntries: sizeLimit });
  }

  /** Nothing else may run on the connection meanwhile (RFC 4511 §4.2.1). */
  bind(dn: string, password: string, timeoutMs: number): Promise<Outcome> {
    const id = this.#takeId();
    const request = new BindRequest({ messageId: id, dn, password });
    return this.#send(id, request, { kind: 'bind', timeoutMs, maxEntries: 0 });
  }

  /** Says goodbye; what is pending is lost. */
  end(): void {
    if (this.#open) this.#socket.end(new UnbindRequest({ messageId: this.#takeId() }).write());
    this.destroy('connection ended');
  }

  destroy(why: string): void {
    if (!this.#open) return;
    this.#open = false;
    // Graceful where the other side still listens; at once where it does not.
    if (this.#socket.writableEnded) setTimeout(() => this.#socket.destroy(), 1000).unref();
    else this.#socket.destroy();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const each of pending) {
      clearTimeout(each.timer);
      each.reject(new DirectoryFailure('lost', `connection lost: ${why}`));
    }
    this.#onClose(this);
  }

  #takeId(): number {
    this.#nextId = this.#nextId >= MAX_MESSAGE_ID ? 2 : this.#nextId + 1;
    return this.#nextId;
  }

  #send(
    id: number,
    request: Message,
    how: { kind: Pending['kind']; timeoutMs: number; maxEntries: number },
  ): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (!this.#open) {
        reject(new DirectoryFailure('lost', 'connection lost'));
        return;
      }
      const timer = setTimeout(() => this.#expire(id), how.timeoutMs);
      const { kind, maxEntries } = how;
      this.#pending.set(id, { kind, maxEntries, entries: [], sentMs: performance.now(), timer, resolve, reject });
      this.#socket.write(request.write());
    });
  }

  #expire(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    const silent = this.#lastHeardMs <= pending.sentMs;
    pending.reject(
      silent
        ? new DirectoryFailure('timeout', 'no answer within the time limit')
        : new DirectoryFailure('slow', 'this question was not answered within the time limit'),
    );
    // After an unanswered bind nobody knows whose connection this is.
    if (silent || pending.kind === 'bind') this.destroy('no answer within the time limit');
    else this.#socket.write(new AbandonRequest({ messageId: this.#takeId(), abandonId: id }).write());
  }

  #read(chunk: Buffer): void {
    this.#lastHeardMs = performance.now();
    try {
      for (const message of this.#framer.push(chunk)) this.#parser.read(message, NO_REQUESTS);
    } catch (error) {
      this.destroy(error instanceof FramingError ? error.message : 'malformed answer');
    }
  }

  #receive(message: Message): void {
    if (!this.#open) return;
    // RFC 4511 §4.4.1: message id 0 is the server's notice that it closes the connection.
    if (message.messageId === 0) {
      this.destroy('the server ended the connection');
      return;
    }
    const pending = this.#pending.get(message.messageId);
    // An answer to something that was abandoned.
    if (pending === undefined || message instanceof SearchReference) return;
    if (message instanceof SearchEntry && pending.kind === 'search') {
      if (pending.entries.length <= pending.maxEntries) pending.entries.push(entryOf(message));
      return;
    }
    const answers = pending.kind === 'search' ? message instanceof SearchResponse : message instanceof BindResponse;
    if (!answers) {
      this.destroy('an answer that fits no question');
      return;
    }
    this.#pending.delete(message.messageId);
    clearTimeout(pending.timer);
    pending.resolve({ code: (message as SearchResponse | BindResponse).status, entries: pending.entries });
  }
}

/** Values from their octets, because the library's text loses a byte order mark. */
const entryOf = ({ name, attributes }: SearchEntry): Entry => ({
  dn: name,
  attributes: attributes.map(({ type, parsedBuffers }) => ({
    description: type,
    values: parsedBuffers.map(textOrOctets),
  })),
});

const TAGS: Readonly<Record<Filter['kind'], SearchFilterValues>> = {
  and: SearchFilter.and,
  or: SearchFilter.or,
  not: SearchFilter.not,
  present: SearchFilter.present,
  equal: SearchFilter.equalityMatch,
  greaterOrEqual: SearchFilter.greaterOrEqual,
  lessOrEqual: SearchFilter.lessOrEqual,
  approximate: SearchFilter.approxMatch,
  substrings: SearchFilter.substrings,
  extensible: SearchFilter.extensibleMatch,
};
const OCTET_STRING = 0x04;

/** A filter tree as the library encodes filters; values go out as the octets they are (RFC 4511 §4.5.1.7). */
class TreeFilter extends WireFilter {
  readonly type: SearchFilterValues;
  readonly #filter: Filter;

  constructor(filter: Filter) {
    super();
    this.type = TAGS[filter.kind];
    this.#filter = filter;
  }

  override toString(): string {
    return renderFilter(this.#filter);
  }

  override writeFilter(writer: BerWriter): void {
    const filter = this.#filter;
    switch (filter.kind) {
      case 'and':
      case 'or':
        for (const each of filter.of) new TreeFilter(each).write(writer);
        return;
      case 'not':
        new TreeFilter(filter.of).write(writer);
        return;
      case 'present':
        for (const octet of Buffer.from(filter.attribute)) writer.writeByte(octet);
        return;
      case 'substrings':
        writer.writeString(filter.attribute);
        writer.startSequence();
        if (filter.initial !== undefined) writeValue(writer, filter.initial, 0x80);
        for (const part of filter.any) writeValue(writer, part, 0x81);
        if (filter.final !== undefined) writeValue(writer, filter.final, 0x82);
        writer.endSequence();
        return;
      case 'extensible':
        if (filter.rule !== undefined) writer.writeString(filter.rule, 0x81);
        if (filter.attribute !== undefined) writer.writeString(filter.attribute, 0x82);
        writeValue(writer, filter.value, 0x83);
        if (filter.dnAttributes) writer.writeBoolean(true, 0x84);
        return;
      default:
        writer.writeString(filter.attribute);
        writeValue(writer, filter.value, OCTET_STRING);
    }
  }
}

function writeValue(writer: BerWriter, value: AssertionValue, tag: number): void {
  if (typeof value === 'string') writer.writeString(value, tag);
  else writer.writeBuffer(Buffer.from(value), tag);
}
