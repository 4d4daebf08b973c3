/** docs/benchmarks.svg: server CPU by load and server, as bars. Text and bars in colours that read on light and dark pages. Pure. */
import { type Report, standings, type WorkloadResult, workloadOf } from './report.ts';
import { figure } from './statistics.ts';

const WIDTH = 860;
const LABEL_WIDTH = 110;
const VALUE_WIDTH = 90;
const BAR = 18;
const GAP = 6;
const HEAD = 44;
const SPACE = 22;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export function renderPicture({ workloads, machine, day }: Report): string {
  let y = 56;
  const panels = workloads.map((result) => {
    const { svg, height } = panel(result, y);
    y += height + SPACE;
    return svg;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" font-family="system-ui, sans-serif" font-size="13">
<title>Server CPU time by load and server; shorter is better</title>
<style>text { fill: #57606a } .head { font-weight: 600 } .bar { fill: #8c959f } .own { fill: #1a7f37 } text.own { font-weight: 600 }
@media (prefers-color-scheme: dark) { text { fill: #b1bac4 } .own { fill: #3fb950 } }</style>
<text class="head" x="8" y="22" font-size="16">Server CPU time; shorter is better</text>
<text x="8" y="40">${escaped(`${machine.cores} × ${machine.processor}, ${day}; median of the runs`)}</text>
${panels.join('\n')}
</svg>
`;
}

function panel(result: WorkloadResult, top: number): { readonly svg: string; readonly height: number } {
  const { name, title, unit } = workloadOf(result.name);
  const bars = standings(result).filter(({ cpu }) => cpu.runs > 0);
  const most = Math.max(...bars.map(({ cpu }) => cpu.median));
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH;
  const lines = bars.map(({ peer, cpu }, i) => {
    const y = top + HEAD + i * (BAR + GAP);
    const own = peer === 'sallyport' ? ' class="own"' : '';
    const width = Math.max(1, (cpu.median / most) * room);
    return (
      `<text x="${LABEL_WIDTH - 8}" y="${y + 13}" text-anchor="end"${own}>${escaped(peer)}</text>` +
      `<rect class="${peer === 'sallyport' ? 'own' : 'bar'}" x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="2"/>` +
      `<text x="${(LABEL_WIDTH + width + 6).toFixed(1)}" y="${y + 13}"${own}>${figure(cpu.median)}</text>`
    );
  });
  const head = `<text class="head" x="8" y="${top + 16}">${escaped(`${name}: ${title}`)}</text><text x="8" y="${top + 33}">${escaped(unit)}</text>`;
  return { svg: [head, ...lines].join('\n'), height: HEAD + bars.length * (BAR + GAP) };
}
