import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fault, warning } from '../core/fault.ts';
import { loadConfig, renderFault } from './load.io.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'sallyport-load-'));
after(() => rmSync(folder, { recursive: true }));

const SMALL = `hostname: gw.example.test
ldap:
  servers:
    corp: { ldif: people.ldif, bind: { dn: "cn=x", password: " secret " } }
listeners:
  mx:
    type: private
    address: ["127.0.0.1:2525"]
    hat:
      - { senderGroup: ALL, policy: BLOCKED }
`;

function write(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}
write('people.ldif', 'dn: dc=test\n');

const lines = (loaded: ReturnType<typeof loadConfig>): string[] =>
  (loaded.ok ? loaded.warnings : loaded.faults).map((found) => renderFault('FILE', found));

test('relative paths are relative to the configuration file, and an inline password counts', () => {
  const loaded = loadConfig(path.relative(process.cwd(), write('good.yaml', SMALL)), []);
  assert.ok(loaded.ok);
  assert.deepEqual(loaded.material, {
    certificates: {},
    authorities: {},
    bindPasswords: { corp: ' secret ' },
    ldif: { corp: 'dn: dc=test\n' },
  });
  assert.equal(loaded.config.system.minFreeSpace, 64 * 1024 * 1024);
});

test('a file that cannot be read is a fault in words', () => {
  mkdirSync(path.join(folder, 'directory.yaml'));
  const rows: [string, RegExp][] = [
    [path.join(folder, 'missing.yaml'), /^FILE:1:1: \(file\): cannot read the configuration: there is no such file$/],
    [path.join(folder, 'directory.yaml'), /it is a directory$/],
    [write('binary.yaml', Uint8Array.of(0xff, 0xfe, 0)), /it is not UTF-8 text$/],
    [write('nul.yaml', 'hostname: a\u0000b\n'), /^FILE:1:1: hostname: /],
    ['a\u0000b', /the path contains a character that is not allowed$/],
  ];
  for (const [file, expected] of rows) assert.match(lines(loadConfig(file, []))[0] ?? '', expected);
});

test('a byte order mark is ignored', () => {
  assert.deepEqual(lines(loadConfig(write('bom.yaml', `\ufeff${SMALL}`), [])), []);
});

test('other parts add their faults, with the place of the key', () => {
  const at = ['listeners', 'mx', 'hat', 0, 'senderGroup'];
  const file = write('extra.yaml', SMALL);
  const warned = loadConfig(file, [() => [warning(at, 'is odd')]]);
  assert.deepEqual(
    [warned.ok, lines(warned)],
    [true, ['FILE:10:11: warning: listeners.mx.hat[0].senderGroup: is odd']],
  );
  const refused = loadConfig(file, [() => [fault(at, 'is wrong')], () => [fault(at, 'is wrong too')]]);
  assert.deepEqual([refused.ok, lines(refused)], [false, ['FILE:10:11: listeners.mx.hat[0].senderGroup: is wrong']]);
});

test('other parts are not asked while names lead nowhere', () => {
  let asked = 0;
  const file = write('dangling.yaml', SMALL.replace('BLOCKED', 'NOWHERE'));
  const loaded = loadConfig(file, [() => (asked++, [])]);
  assert.equal(loaded.ok, false);
  assert.equal(asked, 0);
});
