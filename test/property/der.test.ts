/**
 * Promises of the DER reader and of the parsers above it: whatever the octets are, they throw their own error or none,
 * read no octet beyond their input, and their depth and work are bounded by its length.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCertificate } from '../../src/tls/certificate.ts';
import { ExtensionId } from '../../src/tls/certificate-extensions.ts';
import { parseCrl } from '../../src/tls/crl.ts';
import {
  childrenOf,
  DerError,
  type DerNode,
  readBoolean,
  readDer,
  readIntegerBytes,
  readNode,
  readOid,
  readTimeMs,
  Tag,
} from '../../src/tls/der.ts';
import { parseName } from '../../src/tls/distinguished-name.ts';
import { decodePem } from '../../src/tls/pem.ts';
import { certificate, ecKeys, extension, generalName, name, tlv } from '../pkits/certificate-writer.ts';
import { cpuMs } from '../support/cpu-time.ts';
import { extension as crlExtension, makeCrl, newAuthority } from '../support/crl-maker.ts';

const RUNS = { numRuns: 1000, seed: 1 };

/** Octets that look like DER often enough to get past the first check. */
const tag = fc.constantFrom(0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0c, 0x17, 0x18, 0x30, 0x31, 0x80, 0xa0, 0xa3, 0xff);
const primitive = fc.tuple(tag, fc.uint8Array({ maxLength: 40 })).map(([id, content]) => tlv(id, content));
const { tree } = fc.letrec<{ tree: Buffer }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    primitive,
    fc.tuple(tag, fc.array(tie('tree'), { maxLength: 5 })).map(([id, parts]) => tlv(id, ...parts)),
  ),
}));
const damaged = fc.tuple(tree, fc.nat(), fc.nat(255)).map(([bytes, at, octet]) => {
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[at % copy.length] = octet;
  return copy;
});
const octets = fc.oneof(fc.uint8Array({ maxLength: 200 }), tree, damaged);

/** The outcome, or the reader's own error; any other error fails the test. */
function orRefusal(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) return error;
    throw error;
  }
}

const PRIMITIVES: readonly ((node: DerNode) => unknown)[] = [readOid, readIntegerBytes, readBoolean, readTimeMs];

test('the DER reader throws its own error and no other, at any offset and limit', () => {
  fc.assert(
    fc.property(octets, fc.nat(220), fc.nat(220), (bytes, offset, limit) => {
      orRefusal(() => readDer(bytes));
      const node = orRefusal(() => readNode(bytes, offset, Math.min(limit, bytes.length)));
      if (node instanceof DerError) return;
      const { tag: id, ...place } = node as DerNode;
      orRefusal(() => childrenOf({ ...place, tag: id | 0x20 }));
      for (const type of [Tag.oid, Tag.integer, Tag.boolean, Tag.utcTime, Tag.generalizedTime])
        for (const read of PRIMITIVES) orRefusal(() => read({ ...place, tag: type }));
    }),
    RUNS,
  );
});

/** The same octets, and a count of each look at one of them; a look outside fails. */
function watched(bytes: Uint8Array): { readonly bytes: Uint8Array; readonly looks: () => number } {
  let looks = 0;
  const proxy = new Proxy(bytes, {
    get(octetsOf, key) {
      if (typeof key === 'string' && /^-?\d/.test(key)) {
        assert.ok(
          Number(key) >= 0 && Number(key) < octetsOf.length,
          `octet ${key} of ${octetsOf.length} was looked at`,
        );
        looks += 1;
      }
      const value: unknown = Reflect.get(octetsOf, key, octetsOf);
      return typeof value === 'function' ? (value.bind(octetsOf) as unknown) : value;
    },
  });
  return { bytes: proxy, looks: () => looks };
}

/** Visits every element without recursion. */
function walk(root: DerNode): number {
  const open = [root];
  let elements = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    elements += 1;
    if ((node.tag & 0x20) !== 0) open.push(...childrenOf(node));
  }
  return elements;
}

test('the DER reader looks at no octet outside of its input, and at each head at most once for each level', () => {
  fc.assert(
    fc.property(octets, (input) => {
      const { bytes, looks } = watched(input);
      orRefusal(() => walk(readDer(bytes)));
      // A head has at most six octets, the first of a long length is looked at twice; each element is read once.
      assert.ok(looks() <= 4 * input.length + 8, `${looks()} looks at ${input.length} octets`);
    }),
    RUNS,
  );
});

test('an element that says it is longer than the input, or than the element around it, is refused', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.uint8Array({ minLength: 0, maxLength: 50 }), (length, content) => {
      fc.pre(length > content.length);
      const size = Buffer.alloc(4);
      size.writeUInt32BE(length);
      const significant = size.subarray(size.findIndex((octet) => octet !== 0));
      const head = length < 0x80 ? Buffer.of(0x30, length) : Buffer.of(0x30, 0x80 | significant.length, ...significant);
      const lying = Buffer.concat([head, content]);
      assert.ok(orRefusal(() => readDer(lying)) instanceof DerError);
      const inside = tlv(0x30, lying);
      assert.ok(orRefusal(() => childrenOf(readDer(inside))) instanceof DerError);
    }),
    RUNS,
  );
});

const PARSERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  certificate: parseCertificate,
  'revocation list': parseCrl,
  name: (bytes) => parseName(readDer(bytes)),
  PEM: (bytes) => decodePem(bytes, /^(X509 )?CERTIFICATE$/),
};

for (const [title, parse] of Object.entries(PARSERS)) {
  test(`the ${title} parser throws the reader's error and no other`, () => {
    fc.assert(
      fc.property(octets, (bytes) => void orRefusal(() => parse(bytes))),
      RUNS,
    );
  });
}

/** `levels` elements, each the only content of the one around it. */
function nested(id: number, levels: number): Buffer {
  // From the inside out; the heads grow with what they hold.
  const heads: Buffer[] = [];
  let length = 0;
  for (let i = 0; i < levels; i++) {
    const head =
      length < 0x80
        ? Buffer.of(id, length)
        : length < 0x100
          ? Buffer.of(id, 0x81, length)
          : length < 0x10000
            ? Buffer.of(id, 0x82, length >> 8, length & 0xff)
            : Buffer.of(id, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
    heads.push(head);
    length += head.length;
  }
  return Buffer.concat(heads.reverse());
}

const keys = ecKeys();
const LEVELS = 20_000;
const KNOWN_EXTENSIONS = [...Object.values(ExtensionId), '1.3.6.1.5.5.7.1.24', '2.5.29.28'];

test('20,000 levels of nesting end no parser, wherever in a certificate they are', () => {
  const deep = [0x30, 0x31, 0xa0, 0xa3, 0xa4].map((id) => nested(id, LEVELS));
  for (const content of deep) {
    for (const id of KNOWN_EXTENSIONS) {
      for (const value of [content, tlv(0x30, content), tlv(0x30, tlv(0xa0, content))])
        orRefusal(() => parseCertificate(certificate({ keys, extensions: [extension(id, value)] }).der));
    }
    orRefusal(() => parseCertificate(certificate({ keys, subject: content }).der));
    orRefusal(() => parseCertificate(certificate({ keys, spki: content }).der));
    orRefusal(() => parseCertificate(certificate({ keys, algorithm: tlv(0x30, content) }).der));
    orRefusal(() => parseCertificate(content));
    orRefusal(() => parseName(readDer(tlv(0x30, content))));
  }
  const inName = tlv(0x30, generalName.directory(tlv(0x30, nested(0x31, LEVELS))));
  orRefusal(() => parseCertificate(certificate({ keys, extensions: [extension('2.5.29.17', inName)] }).der));
});

test('20,000 levels of nesting end no parser of revocation lists', () => {
  const issuer = newAuthority('Deep');
  const deep = nested(0x30, LEVELS);
  const list = { issuer, thisUpdateMs: 0, nextUpdateMs: 4e12 };
  for (const id of [20, 27, 28, 35, 46])
    orRefusal(() => parseCrl(makeCrl({ ...list, extensions: [crlExtension(id, deep)] })));
  orRefusal(() => parseCrl(makeCrl({ ...list, scope: tlv(0x30, tlv(0xa0, tlv(0xa0, deep))) })));
  for (const id of [21, 23, 24, 29])
    orRefusal(() => parseCrl(makeCrl({ ...list, entries: [{ serial: '01', extensions: [crlExtension(id, deep)] }] })));
  orRefusal(() => parseCrl(deep));
});

test('the work of reading a certificate grows with its length and no faster', () => {
  const many = (count: number): Buffer =>
    tlv(0x30, ...Array.from({ length: count }, (_, i) => generalName.dns(`host-${i}.example.test`)));
  const spent = (count: number): number => {
    const { der } = certificate({ keys, subject: name('CN=many'), extensions: [extension('2.5.29.17', many(count))] });
    const started = cpuMs();
    for (let i = 0; i < 20; i++) parseCertificate(der);
    return cpuMs() - started;
  };
  spent(100);
  // Eight times the names may cost eight times as much, and as much again for what measuring is worth.
  const [few, more] = [Math.max(spent(100), 1), spent(800)];
  assert.ok(more < few * 8 * 10, `${few} ms for 100 names, ${more} ms for 800`);
});
