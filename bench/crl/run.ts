/**
 * `npm run bench:crl`: what a revocation list of a million entries costs here, in tls.createSecureContext({crl}) and in
 * @peculiar/x509, and what a running gateway's sessions notice of it. Writes docs/benchmarks-crl.md; with `--print` it
 * only prints. Effects: processes, temporary files, loopback.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { makeBigList, newListAuthority } from '../../test/support/big-crl.ts';
import { measureGateway } from './gateway.ts';
import type { Measured } from './measure.ts';
import { type CrlReport, type Row, renderPage } from './page.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SIZES = [1000, 10_000, 100_000, 1_000_000];
const PECULIAR_LIMIT_MS = 300_000;

const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-crl-'));
const authority = newListAuthority('Benchmark CA');
const caFile = join(folder, 'ca.pem');
writeFileSync(caFile, authority.pem);

function measure(what: 'load' | 'context' | 'peculiar', entries: number): Row {
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
    return { what, entries, result: JSON.parse(output) as Measured };
  } catch (error) {
    const text = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    return { what, entries, refused: /^\w*Error: (.*)$/m.exec(text)?.[1] ?? 'no result within the time limit' };
  }
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
  for (const entries of SIZES) {
    console.log(`making a list of ${entries} entries`);
    writeFileSync(join(folder, `${entries}.crl`), makeBigList(authority, { entries, number: 1 }));
  }
  const rows: Row[] = [];
  for (const what of ['load', 'context', 'peculiar'] as const) {
    for (const entries of SIZES) {
      rows.push(measure(what, entries));
      console.log(JSON.stringify(rows.at(-1)));
    }
  }
  const data = join(folder, 'gateway');
  mkdirSync(data);
  // A list of 30,000 first, by the same way, so that what is counted is the million and not code that runs once.
  const lists = [30_000, 30_000, 1_000_000, 1_000_000, 1_000_000].map((entries, i) =>
    makeBigList(authority, { entries, number: i + 2 }),
  );
  const gateway = await measureGateway(data, authority.pem, lists);
  console.log(JSON.stringify(gateway));
  const [cpu] = cpus();
  const report: CrlReport = {
    rows,
    gateway,
    machine: `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`,
    versions: `Sallyport ${gitCommit()}, Node ${process.version}, OpenSSL ${process.versions.openssl}, @peculiar/x509 ${versionOf('@peculiar/x509')}`,
  };
  const page = renderPage(report);
  if (process.argv.includes('--print')) console.log(page);
  else writeFileSync(join(ROOT, 'docs', 'benchmarks-crl.md'), page);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
