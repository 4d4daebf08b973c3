/**
 * `workqueue`: status, pause, resume and rate of the work queue of the running gateway. Asked nothing it asks as AsyncOS
 * does. Effects: the control socket, standard output, a timer.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { type Arguments, UsageError, type Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { countOf, localZone } from './monitor.io.ts';
import { runOperation, said, type OnGateway } from './on-gateway.io.ts';
import { line, operation, yesNo } from './question.ts';
import { type WorkQueueShown, workQueueText } from './queue-view.ts';

const EVERY_SECONDS = 10;

const OPERATIONS = [
  { name: 'status', does: 'Display current status of work queue' },
  { name: 'pause', does: 'Pause the work queue' },
  { name: 'resume', does: 'Resume the work queue' },
  { name: 'rate', does: 'Display work queue statistics over time' },
] as const;
type Name = (typeof OPERATIONS)[number]['name'];

export const workqueue = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    {
      usage: 'workqueue [status|pause|resume|rate] [--reason TEXT] [--yes] [--every SECONDS] [--count N]',
      options: ['reason', 'every', 'count'],
      flags: ['yes'],
      least: 0,
      most: 1,
      async run(on, parsed) {
        const [given] = parsed.rest;
        if (given === undefined) return dialogue(on, parsed);
        const found = OPERATIONS.find(({ name }) => name === given);
        if (found === undefined) throw new UsageError(`there is no operation ${given}`);
        return perform(on, found.name, parsed);
      },
    },
    args,
    write,
    context,
  );

async function dialogue(on: OnGateway, parsed: Arguments): Promise<number> {
  for (;;) {
    const answer = await on.api.call('GET /api/queue/work-queue');
    if (!answer.ok) return said(on, answer, () => '');
    on.dialogue.write(`\n${workQueueText(answer.body, localZone)}\n`);
    const unfit = answer.body.status === 'paused' ? 'pause' : 'resume';
    const chosen = await on.dialogue.ask(operation(OPERATIONS.filter(({ name }) => name !== unfit)));
    if (chosen === undefined) return 0;
    if (chosen.name === 'status') continue;
    const code = await perform(on, chosen.name, parsed);
    if (code !== 0) return code;
  }
}

async function perform(on: OnGateway, name: Name, parsed: Arguments): Promise<number> {
  const print = (body: WorkQueueShown): string => `\n${workQueueText(body, localZone)}`;
  switch (name) {
    case 'status':
      return said(on, await on.api.call('GET /api/queue/work-queue'), (body) => workQueueText(body, localZone));
    case 'pause': {
      const reason = parsed.flags.has('yes') ? parsed.options['reason'] : await askReason(on, parsed);
      if (reason === null) return 0;
      const body = reason === undefined || reason === '' ? {} : { reason };
      return said(on, await on.api.call('POST /api/queue/work-queue/pause', { body }), print);
    }
    case 'resume':
      return said(on, await on.api.call('POST /api/queue/work-queue/resume'), print);
    case 'rate':
      return rate(on, countOf(parsed.options['every'], 3600) ?? EVERY_SECONDS, countOf(parsed.options['count'], 1e9));
  }
}

/** `null`: no. */
async function askReason(on: OnGateway, { options }: Arguments): Promise<string | undefined | null> {
  const text = '\nManually pause work queue? This will only affect unprocessed messages.';
  if (!(await on.dialogue.ask(yesNo(text, false)))) return null;
  return options['reason'] ?? (await on.dialogue.ask(line({ text: '\nReason for pausing work queue:' })));
}

/** Until Ctrl-C, or so many rows. In: messages received; Out: those that went on to delivery. */
async function rate(on: OnGateway, everySeconds: number, rows = Number.POSITIVE_INFINITY): Promise<number> {
  let before: WorkQueueShown | undefined;
  if (!on.json) on.write('Type Ctrl-C to stop.\n\n    Time     Pending          In         Out\n');
  for (let shown = 0; shown < rows; ) {
    const answer = await on.api.call('GET /api/queue/work-queue');
    if (!answer.ok) return said(on, answer, () => '');
    const now = answer.body;
    if (before !== undefined) {
      const received = now.received - before.received;
      const out = Math.max(0, received - (now.messages - before.messages));
      on.write(rateRow(on.json, now, { received, out }));
      shown++;
    }
    before = now;
    if (shown < rows) await wait(everySeconds * 1000);
  }
  return 0;
}

function rateRow(
  json: boolean,
  { nowMs, messages }: WorkQueueShown,
  { received, out }: { received: number; out: number },
): string {
  if (json) return `${JSON.stringify({ nowMs, pending: messages, in: received, out })}\n`;
  const time = new Date(nowMs).toTimeString().slice(0, 8);
  return `${time.padStart(8)} ${String(messages).padStart(11)} ${String(received).padStart(11)} ${String(out).padStart(11)}\n`;
}
