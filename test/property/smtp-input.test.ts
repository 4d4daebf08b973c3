/**
 * Bytes from the network: whatever the chunks, the lines and messages are the same; no parser ever throws; what is
 * printed is read back as it was.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { headerFacts } from '../../src/content/header.ts';
import { receivedField } from '../../src/content/received.ts';
import { parseMailbox, printAddress, scanPath } from '../../src/core/address.ts';
import { formatIp, parseCidr, parseIp } from '../../src/core/network.ts';
import { parseSender } from '../../src/policy/sender-pattern.ts';
import { parseCommand } from '../../src/smtp/command.ts';
import { DotReader } from '../../src/smtp/dot-reader.ts';
import { LineReader } from '../../src/smtp/line-reader.ts';
import { startAuth } from '../../src/smtp/sasl.ts';

/** Text in which everything that matters to a reader of lines is frequent. */
const lineText = fc
  .array(fc.constantFrom('\r\n', '\r', '\n', '.', '..', 'a', 'NOOP', '\u0000', '\r\n.\r\n', '\u00ff', 'x'.repeat(30)), {
    maxLength: 40,
  })
  .map((parts) => parts.join(''));

/** A text and a way to cut it. */
const cutText = fc.tuple(lineText, fc.array(fc.nat({ max: 200 }), { maxLength: 12 })).map(([text, cuts]) => {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])].sort((a, b) => a - b);
  return { text, chunks: at.slice(1).map((end, i) => Buffer.from(text.slice(at[i], end), 'latin1')) };
});

function linesOf(chunks: readonly Buffer[]): string[] {
  const reader = new LineReader(40);
  const out: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      out.push(line.kind === 'line' ? `=${line.bytes.toString('latin1')}` : `!${line.fault}`);
    }
  }
  return out;
}

/** The rule in one sentence: split at CRLF; a part that is too long, or has a CR, LF or NUL, is faulty. */
function naiveLines(text: string): string[] {
  return text
    .split('\r\n')
    .slice(0, -1)
    .map((line) => {
      if (line.length + 2 > 40) return '!too-long';
      if (line.includes('\n')) return '!bare-lf';
      if (line.includes('\r')) return '!bare-cr';
      return line.includes('\u0000') ? '!nul' : `=${line}`;
    });
}

test('lines do not depend on the chunks', () => {
  fc.assert(
    fc.property(cutText, ({ text, chunks }) => assert.deepEqual(linesOf(chunks), naiveLines(text))),
    { numRuns: 500 },
  );
});

type Data = { done: boolean; fault: string | undefined; text: string | undefined; used: number };

function dataOf(chunks: readonly Buffer[], bareLineEnds: 'reject' | 'clean'): Data {
  const reader = new DotReader({ maxBytes: 400, bareLineEnds, maxLineBytes: 150 });
  const slices: Buffer[] = [];
  let used = 0;
  for (const chunk of chunks) {
    used += reader.push(chunk);
    slices.push(...reader.take());
    if (reader.done) break;
  }
  const text = reader.done && reader.fault === undefined ? Buffer.concat(slices).toString('latin1') : undefined;
  return { done: reader.done, fault: reader.done ? reader.fault : undefined, text, used };
}

/** RFC 5321 §4.5.2 word by word: the message ends at the first line that is a dot alone; lines end at CRLF. */
function naiveData(wire: string): { lines: string[]; used: number } | undefined {
  const lines: string[] = [];
  let at = 0;
  for (;;) {
    const end = wire.indexOf('\r\n', at);
    if (end < 0) return undefined;
    const line = wire.slice(at, end);
    at = end + 2;
    if (line === '.') return { lines, used: at };
    lines.push(line.startsWith('.') ? line.slice(1) : line);
  }
}

test('a message does not depend on the chunks, and only CRLF.CRLF ends it', () => {
  fc.assert(
    fc.property(cutText, fc.constantFrom('reject' as const, 'clean' as const), ({ text, chunks }, mode) => {
      const got = dataOf(chunks, mode);
      const whole = dataOf([Buffer.from(text, 'latin1')], mode);
      // Which of several faults is told first may differ with the chunks; that there is one may not.
      assert.deepEqual({ ...got, fault: got.fault !== undefined }, { ...whole, fault: whole.fault !== undefined });
      const naive = naiveData(text);
      assert.equal(got.done, naive !== undefined);
      if (naive === undefined) return;
      assert.equal(got.used, naive.used);
      if (got.text === undefined) return;
      const plain = naive.lines.map((line) => `${line}\r\n`).join('');
      assert.equal(got.text, mode === 'clean' ? plain.replace(/\r(?!\n)|(?<!\r)\n/g, '\r\n') : plain);
      assert.ok(!/\r(?!\n)|(?<!\r)\n|\u0000/.test(got.text));
    }),
    { numRuns: 1000 },
  );
});

test('a message survives dot stuffing and any chunks', () => {
  const line = fc
    .array(fc.constantFrom('.', '..', 'a', ' ', '\u00e9'), { maxLength: 6 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), fc.integer({ min: 1, max: 7 }), (lines, size) => {
      const message = lines.map((text) => `${text}\r\n`).join('');
      const wire = Buffer.from(`${message.replace(/^\./gm, '..')}.\r\nQUIT\r\n`, 'latin1');
      const chunks = Array.from({ length: Math.ceil(wire.length / size) }, (_, i) =>
        wire.subarray(i * size, (i + 1) * size),
      );
      const data = dataOf(chunks, 'reject');
      assert.deepEqual([data.text, data.used], [message, wire.length - 6]);
    }),
    { numRuns: 300 },
  );
});

const nearCommand = fc
  .tuple(
    fc.constantFrom('MAIL FROM:', 'RCPT TO:', 'EHLO ', 'AUTH ', 'BDAT ', 'VRFY ', 'NOOP', ''),
    fc.array(
      fc.constantFrom(
        '<',
        '>',
        '@',
        '"',
        '\\',
        ' ',
        '.',
        'a',
        'b.example',
        ',',
        ':',
        '[',
        ']',
        'IPv6:::1',
        'SIZE=',
        '1',
        'ORCPT=rfc822;',
        '+',
        '=',
        '\u00fc',
        '\u0000',
      ),
      { maxLength: 14 },
    ),
  )
  .map(([verb, parts]) => verb + parts.join(''));

test('no command line makes the parser throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 600 }).map((octets) => Buffer.from(octets)),
        nearCommand.map((text) => Buffer.from(text)),
      ),
      (line) => {
        const command = parseCommand(line);
        if (command.verb !== 'MAIL' && command.verb !== 'RCPT') return;
        // What was accepted as an address can stand in a reply, a log and a command of our own.
        assert.doesNotMatch(command.path.address, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
        const again = scanPath(`<${command.path.address}>`);
        assert.deepEqual(again.ok && again.path, command.path);
      },
    ),
    { numRuns: 3000 },
  );
});

test('an address is read back as it was printed', () => {
  const localPart = fc.string({
    unit: fc.constantFrom(...'aB1.+"\\@ <>(),;:\u00fc\u4e2d'.split('')),
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(
      localPart,
      fc.constantFrom('example.com', 'a.b-c.example', '[192.0.2.1]', '[IPv6:2001:db8::1]', 'b\u00fccher.example'),
      (local, domain) => {
        const path = parseMailbox(printAddress(local, domain));
        assert.deepEqual([path?.localPart, path?.domain], [local, domain]);
        assert.equal(path?.address, printAddress(local, domain));
      },
    ),
    { numRuns: 1000 },
  );
});

test('no SASL answer makes an exchange throw', () => {
  const answer = fc.oneof(fc.string(), fc.base64String(), fc.constantFrom('*', '=', ''));
  fc.assert(
    fc.property(
      fc.constantFrom('PLAIN', 'LOGIN', 'EXTERNAL'),
      fc.option(answer, { nil: undefined }),
      fc.array(answer, { maxLength: 3 }),
      (mechanism, initial, answers) => {
        let step = startAuth(mechanism, initial);
        for (const text of answers) if (step.kind === 'challenge') step = step.next(Buffer.from(text));
      },
    ),
    { numRuns: 500 },
  );
});

test('PLAIN gives back what the client put in', () => {
  const field = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    .filter((text) => !text.includes('\0') && text.isWellFormed());
  fc.assert(
    fc.property(fc.oneof(fc.constant(''), field), field, field, (authzid, login, password) => {
      const step = startAuth('PLAIN', Buffer.from(`${authzid}\0${login}\0${password}`).toString('base64'));
      assert.deepEqual(step, { kind: 'credentials', mechanism: 'PLAIN', authzid, login, password });
    }),
    { numRuns: 300 },
  );
});

test('an IP address is read back as it was printed', () => {
  const ip = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((value) => ({ version: 4 as const, value })),
    fc.array(fc.oneof(fc.constant(0), fc.nat({ max: 65_535 })), { minLength: 8, maxLength: 8 }).map((groups) => ({
      version: 6 as const,
      value: groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n),
    })),
  );
  fc.assert(
    fc.property(ip, (address) => {
      const read = parseIp(formatIp(address));
      const mapped = address.version === 6 && address.value >> 32n === 0xffffn;
      assert.deepEqual(read, mapped ? { version: 4, value: address.value & 0xffff_ffffn } : address);
    }),
    { numRuns: 500 },
  );
});

test('no text makes the parsers of addresses, senders and headers throw', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef.:-/[]%'.split('')), maxLength: 40 }),
  );
  fc.assert(
    fc.property(text, (input) => {
      parseIp(input);
      parseCidr(input);
      parseSender(input);
      parseMailbox(input);
      headerFacts(Buffer.from(input));
    }),
    { numRuns: 2000 },
  );
});

test('no value of a client adds a line to the Received field', () => {
  const value = fc.string({ unit: 'binary', maxLength: 300 });
  fc.assert(
    fc.property(value, value, value, value, (clientName, subject, user, recipient) => {
      const field = receivedField({
        clientName,
        hostname: clientName,
        remoteAddress: '192.0.2.1',
        by: 'gw.example.test',
        extended: true,
        smtpUtf8: false,
        tls: { protocol: 'TLSv1.3', cipher: subject },
        certificate: { subject, verified: true },
        user,
        mid: 1,
        recipient,
        atMs: 0,
      });
      assert.match(field, /^Received: [ -~]+(\r\n\t[ -~]+)+\r\n$/);
    }),
    { numRuns: 500 },
  );
});
