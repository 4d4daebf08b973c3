/**
 * `npm run bench:crl`: what a revocation list of a million entries costs here, in tls.createSecureContext({crl}) and in
 * @peculiar/x509, and what a running gateway's sessions notice of it. Writes docs/benchmarks-crl.md; with `--print` it
 * only prints, with `--gateway` it measures the running gateway alone and prints that. Effects: processes, temporary files, loopback.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { makeBigList, newListAuthority } from '../../test/support/big-crl.ts';
import { measureGateway } from './gateway.ts';
import type { Measured } from './measure.ts';
import { type CrlReport, MILLION, type Row, renderPage } from './page.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SIZES = [1000, 10_000, 100_000, MILLION];
const SMALL = 30_000;
const CANDIDATES = ['load', 'context', 'peculiar'] as const;
const ROUNDS = 3;
const TITLES = ['the first million', 'another million in its place', 'a third', 'a fourth', 'a fifth'];
const PECULIAR_LIMIT_MS = 300_000;
const withRows = !process.argv.includes('--gateway');

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-crl-'));
const authority = newListAuthority('Benchmark CA');
const caFile = join(folder, 'ca.pem');
writeFileSync(caFile, authority.pem);

type What = Row['what'];
type Outcome = { readonly result: Measured } | { readonly refused: string };

function measure(what: What, entries: number): Outcome {
  const file = join(folder, `${entries}.crl`);
  const flags = ['--expose-gc', '--disable-warning=ExperimentalWarning', '--max-old-space-size=8192'];
  try {
    const output = execFileSync(
      process.execPath,
      [...flags, join(import.meta.dirname, 'measure.ts'), what, file, caFile],
      {
        encoding: 'utf8',
        timeout: PECULIAR_LIMIT_MS,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '1048576' },
      },
    );
    return { result: JSON.parse(output) as Measured };
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    return { refused: /^\w*Error: (.*)$/m.exec(text)?.[1] ?? 'no result within the time limit' };
  }
}

/** Rounds, so that a moment in which the machine is busy does not meet one candidate alone. */
function measureAll(): Row[] {
  const outcomes = new Map<string, Outcome[]>();
  const candidates = CANDIDATES.flatMap((what) => SIZES.map((entries) => ({ what, entries })));
  for (let round = 1; round <= ROUNDS; round++) {
    for (const { what, entries } of candidates) {
      const key = `${what} ${entries}`;
      const known = outcomes.get(key) ?? [];
      // What was refused once is refused again.
      if (known.some((each) => 'refused' in each)) continue;
      const outcome = measure(what, entries);
      outcomes.set(key, [...known, outcome]);
      console.log(`round ${round}, ${key}: ${JSON.stringify(outcome)}`);
    }
  }
  return candidates.map(({ what, entries }): Row => {
    const all = outcomes.get(`${what} ${entries}`) ?? [];
    const refused = all.find((each) => 'refused' in each)?.refused;
    const results = all.flatMap((each) => ('result' in each ? [each.result] : []));
    return { what, entries, results, ...(refused === undefined ? {} : { refused }) };
  });
}

function gitCommit(): string {
  return execFileSync('git', ['-C', ROOT, 'log', '-1', '--format=%h %cs'], { encoding: 'utf8' }).trim();
}

function versionOf(dependency: string): string {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string }>;
  };
  return lock.packages[`node_modules/${dependency}`]?.version ?? 'unknown';
}

try {
  const [load = 0] = loadavg();
  for (const entries of SIZES) {
    console.log(`making a list of ${entries} entries`);
    writeFileSync(join(folder, `${entries}.crl`), makeBigList(authority, { entries, number: 1 }));
  }
  const rows = withRows ? measureAll() : [];
  const data = join(folder, 'gateway');
  mkdirSync(data);
  let number = 1;
  const list = (entries: number): Buffer => makeBigList(authority, { entries, number: ++number });
  const gateway = await measureGateway(data, authority, {
    first: list(SMALL),
    // A small one first, by the same way, so that what is counted is the million and not code that runs once.
    warmUp: list(SMALL),
    arriving: TITLES.map((title) => ({ title, list: list(MILLION) })),
  });
  console.log(JSON.stringify(gateway));
  const [cpu] = cpus();
  const report: CrlReport = {
    rows,
    gateway,
    machine: `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`,
    versions: `Sallyport ${gitCommit()}, Node ${process.version}, OpenSSL ${process.versions.openssl}, @peculiar/x509 ${versionOf('@peculiar/x509')}`,
    load,
  };
  if (withRows) {
    const page = renderPage(report);
    if (process.argv.includes('--print')) console.log(page);
    else writeFileSync(join(ROOT, 'docs', 'benchmarks-crl.md'), page);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
