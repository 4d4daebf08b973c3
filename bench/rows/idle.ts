/** W7: what an idle TLS connection costs after EHLO, and that thousands are held. Effects: starts Sallyport and loads. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { loadArguments, readReport } from '../load.ts';
import { startSallyport } from '../peers/sallyport.ts';
import type { Finding, Row } from './row.ts';

export const idle: Row = {
  name: 'W7',
  title: 'idle mutual TLS connections',
  async run({ site, quick, tell }) {
    const findings: Finding[] = [];
    for (const count of quick ? [1000] : [1000, 5000, 10_000]) {
      const server = await startSallyport(site, { name: `idle-${count}` });
      await server.account.idle(5000);
      const before = server.account.memoryKb();
      const child = spawn(
        site.loadgen,
        [
          ...loadArguments(server.ports.tls, {
            tls: 'starttls',
            concurrency: 64,
            messages: 1,
            size: 100,
            seconds: 120,
            certificates: site.material.clients,
          }),
          ...['--idle', String(count)],
        ],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      );
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const held = Number(/^idle (\d+)/.exec((await lines.next()).value ?? '')?.[1] ?? 0);
      await server.account.idle(5000);
      const perConnection = (server.account.memoryKb() - before) / count;
      const closed = once(child, 'close');
      child.stdin.end();
      const report = readReport((await lines.next()).value ?? '');
      await closed;
      await server.stop();
      tell(
        `  ${held} held, ${report.dropped} dropped, ${perConnection.toFixed(1)} KB each above ${(before / 1024).toFixed(0)} MB`,
      );
      const whole = held === count && report.failures === 0;
      findings.push({
        what: `${count.toLocaleString('en-US')} connections: memory of each (PSS), above ${(before / 1024).toFixed(0)} MB before`,
        value: `${perConnection.toFixed(1)} KB; ${held.toLocaleString('en-US')} held, ${report.dropped} dropped`,
        ...(count === 5000 ? { target: 'under 95 KB', met: whole && perConnection < 95 } : {}),
        ...(count === 10_000 ? { target: '10,000 held', met: whole } : {}),
      });
    }
    return findings;
  },
};
