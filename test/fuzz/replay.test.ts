/**
 * The readers of attackers' octets against the kept corpus, and against fresh inputs made from it by chance that is the
 * same at each run. `observe.ts` says what is promised: own errors only, nothing read or handed out beyond the input.
 * `node test/fuzz/grow.ts TARGET SECONDS` looks for more.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pkitsCertificates, pkitsFolder, pkitsLists } from '../pkits/pkits-vectors.ts';
import { cpuMs } from '../support/cpu-time.ts';
import { keptInputs } from './corpus.ts';
import { chanceOf, mutate } from './mutate.ts';
import { observe } from './observe.ts';
import { type Target, TARGETS } from './targets.ts';

const FRESH = 8000;
/** A reader that needs longer for 8 KiB has a loop that an attacker can choose. */
const LONGEST_MS = 2000;

for (const [name, target] of Object.entries(TARGETS)) {
  const kept = keptInputs(name);

  test(`${name}: the ${kept.size} kept inputs are read, or refused with the reader's own error`, () => {
    // A small reader has few blocks to reach.
    assert.ok(kept.size >= 12, `the corpus has ${kept.size} inputs only`);
    const outcomes = [...kept].map(([file, input]) => timed(() => observe(target, input), file));
    const read = outcomes.filter((outcome) => outcome.startsWith('read:')).length;
    assert.ok(read > 0 && read < kept.size, `${read} of ${kept.size} were read: a corpus needs both kinds`);
  });

  test(`${name}: so are ${FRESH} inputs made from them`, () => {
    const pool = [...kept.values()];
    const chance = chanceOf(20_261_125);
    for (let i = 0; i < FRESH; i++) {
      const input = mutate(pool[i % pool.length] as Uint8Array, pool, chance);
      timed(() => observe(target, input), `${name} ${Buffer.from(input).toString('base64')}`);
    }
  });
}

function timed(look: () => string, what: string): string {
  const started = cpuMs();
  let outcome: string;
  try {
    outcome = look();
  } catch (error) {
    throw new Error(`broken by ${what}`, { cause: error });
  }
  assert.ok(cpuMs() - started < LONGEST_MS, `too slow: ${what}`);
  return outcome;
}

test('every certificate and list of the PKITS vectors is read twice with the same outcome, wherever it lies in memory', () => {
  const outcomes = [
    ...[...pkitsCertificates().values()].map((der) => observe(TARGETS['certificate'] as Target, der)),
    ...[...pkitsLists().values()].map((der) => observe(TARGETS['crl'] as Target, der)),
  ];
  assert.ok(outcomes.filter((outcome) => outcome.startsWith('read:')).length > 550, `${outcomes.length}`);
});

/** What the Python project's collection of odd certificates and lists is refused for; everything else in it is read. */
const ODD: Readonly<Record<string, string>> = {
  'badasn1time.pem': 'time malformed',
  'v1_cert.pem': 'signature algorithms differ',
  'custom/crl_all_reasons.pem': 'certificate issuer in a list that is not indirect',
  'custom/crl_bad_version.pem': 'version unknown',
  'custom/crl_inval_cert_issuer_entry_ext.pem': 'certificate issuer in a list that is not indirect',
  'custom/crl_md2_unknown_crit_entry_ext.pem': 'unknown critical entry extension',
  'custom/inhibit_any_policy_negative.pem': 'negative number',
  'custom/invalid_version.pem': 'version unknown',
  'custom/two_basic_constraints.pem': 'extension given twice',
};

test('odd certificates and lists of another project are read, and refused where RFC 5280 or DER says so', () => {
  const folder = join(pkitsFolder(), '..');
  let seen = 0;
  for (const file of ['.', 'custom'].flatMap((part) =>
    readdirSync(join(folder, part)).map((each) => join(part, each)),
  )) {
    if (!file.endsWith('.pem')) continue;
    const [, label = '', body] =
      /BEGIN (X509 CRL|CERTIFICATE)-----([^-]*)/.exec(readFileSync(join(folder, file), 'latin1')) ?? [];
    if (body === undefined) continue;
    const target = TARGETS[label === 'X509 CRL' ? 'crl' : 'certificate'] as Target;
    const outcome = observe(target, Buffer.from(body, 'base64'));
    const words = ODD[file];
    if (words === undefined) assert.ok(outcome.startsWith('read:'), `${file}: ${outcome}`);
    else assert.equal(outcome, `refused: ${words}`, file);
    seen += 1;
  }
  assert.ok(seen > 100, `only ${seen}`);
});
