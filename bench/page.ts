/** docs/benchmarks.md: the report as Markdown. Pure. */
import { type Report, type Standing, standings, type WorkloadResult, workloadOf } from './report.ts';
import { figure } from './statistics.ts';

/** What Postfix needed on the machine on which the issue's targets were set (W1, W3, …, in the workloads' units). */
const POSTFIX_THEN = { W1: 4.9, W3: 4.5, W4: 2.9, W5: 1.78, W6: 88 } as const;
/** Above this share the figure is marked: something else was going on. */
const NOISY = 0.25;

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const mark = (met: boolean | undefined): string => (met === undefined ? '' : met ? 'met' : '**missed**');

export function renderPage(report: Report): string {
  return `${[
    '# Benchmarks',
    '',
    `Written by \`npm run bench\` on ${report.day}; the figures are of that run and of this machine. [How it measures](../bench/README.md).`,
    '',
    '![Server CPU time by load and server](benchmarks.svg)',
    '',
    ...targets(report),
    ...report.workloads.flatMap(workloadSection),
    ...rowsSection(report),
    ...machineSection(report),
  ].join('\n')}\n`;
}

function targets({ workloads, rows }: Report): string[] {
  const lines = workloads.flatMap((result) => targetsOf(result));
  const more = rows.flatMap(({ findings }) =>
    findings.flatMap(({ what, value, target, met }) =>
      target === undefined ? [] : [row(what, target, value, mark(met))],
    ),
  );
  return [
    '## Targets',
    '',
    row('what', 'target', 'measured', ''),
    row('---', '---', '---', '---'),
    ...lines,
    ...more,
    '',
  ];
}

function targetsOf(result: WorkloadResult): string[] {
  const { name, title, unit, target } = workloadOf(result.name);
  const all = standings(result);
  const ours = all.find(({ peer }) => peer === 'sallyport');
  const postfix = all.find(({ peer }) => peer === 'postfix');
  if (ours === undefined) return [];
  const good = ours.invalid === 0;
  const lines = [
    row(
      `${name}: ${title}`,
      `at most ${target} ${unit}`,
      figure(ours.cpu.median),
      mark(good && ours.cpu.median <= target),
    ),
  ];
  if (postfix === undefined) return lines;
  const share = target / POSTFIX_THEN[name];
  const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;
  lines.push(
    row(
      `${name} as a share of Postfix’s CPU in the same run`,
      `${percent(share)} (what the target was of Postfix then)`,
      percent(1 / postfix.ratio),
      mark(good && 1 / postfix.ratio <= share),
    ),
  );
  if (name !== 'W1') return lines;
  const times = ours.rate.median / postfix.rate.median;
  return [
    ...lines,
    row('W1: sessions a second, 32 at a time', 'twice Postfix’s', `${figure(times)} ×`, mark(good && times >= 2)),
    row(
      'W1: final dot → 250, p99',
      'at or below Postfix’s',
      `${figure(ours.p99)} ms, Postfix ${figure(postfix.p99)} ms`,
      mark(good && ours.p99 <= postfix.p99),
    ),
  ];
}

function workloadSection(result: WorkloadResult): string[] {
  const { name, title, unit, per } = workloadOf(result.name);
  return [
    `## ${name}: ${title}`,
    '',
    row('server', unit, 'spread', 'Sallyport is', `${per}s/s`, 'final dot → 250, p50 / p99 ms', ''),
    row('---', '---:', '---:', '---:', '---:', '---:', '---'),
    ...standings(result).map(standingRow),
    '',
  ];
}

function standingRow({ peer, cpu, rate, p50, p99, ratio, invalid, firstFailure, others }: Standing): string {
  const notes = [
    ...(invalid > 0 ? [`**INVALID: ${invalid} run(s) with failures** (${firstFailure.replaceAll('|', '/')})`] : []),
    ...(others > NOISY ? [`other programs took up to ${(others * 100).toFixed(0)} %`] : []),
  ];
  return row(
    peer === 'sallyport' ? '**sallyport**' : peer,
    figure(cpu.median),
    cpu.runs === 0 ? '–' : `${figure(cpu.least)} … ${figure(cpu.most)}`,
    peer === 'sallyport' ? '' : ratio >= 1 ? `${figure(ratio)} × cheaper` : `${figure(1 / ratio)} × dearer`,
    figure(rate.median),
    `${figure(p50)} / ${figure(p99)}`,
    notes.join('; '),
  );
}

function rowsSection({ rows }: Report): string[] {
  return rows.flatMap(({ name, title, findings }) => [
    `## ${name}: ${title}`,
    '',
    row('what', 'measured', 'target', ''),
    row('---', '---', '---', '---'),
    ...findings.map(({ what, value, target, met }) => row(what, value, target ?? '', mark(met))),
    '',
  ]);
}

function machineSection({ machine, rounds, seconds, peers }: Report): string[] {
  return [
    '## Machine, servers and method',
    '',
    `${machine.cores} × ${machine.processor}, ${figure(machine.memoryMb / 1024)} GB, Linux ${machine.kernel}. Queues on ${machine.disk}. CPU time by ${machine.counting}.`,
    '',
    row('server', 'version', 'what it does for a message'),
    row('---', '---', '---'),
    ...peers.map(({ name, version, what }) => row(name, version, what)),
    '',
    `One load generator for all, on the same cores as the server, so CPU time for one session says more than sessions a second. Each server is warmed up, then all take turns of ${seconds} s in ${rounds} rounds (one thread and two, and short tables and long ones: longer warm-up, more and shorter rounds); figures are medians, the spread is the least and the most, and ratios are taken round by round. CPU time counts until the server does nothing any more: delivery and log belong to the message. Every reply is checked; a run with one wrong reply is invalid and in no figure. A door with certificates is first tried without one, and must refuse. W7 and the rows behind it are of Sallyport alone.`,
  ];
}
