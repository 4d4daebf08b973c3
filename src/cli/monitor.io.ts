/**
 * `status`, `resetcounters`, `hoststatus`, `tophosts`, `topin`: what the running gateway is doing, asked over its control socket. Asked
 * nothing, hoststatus and tophosts ask as AsyncOS does. Effects: the control socket, standard output.
 */
import { UsageError, type Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { runOperation, said } from './on-gateway.io.ts';
import { choice, line, required } from './question.ts';
import { hostText, statusText, timeText, topHostsText, topInText, type Zone } from './queue-view.ts';

/** Of this machine. */
export const localZone: Zone = (atMs) => -new Date(atMs).getTimezoneOffset();

export const status = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    {
      usage: 'status [detail]',
      least: 0,
      most: 1,
      async run(on, { rest: [what] }) {
        if (what !== undefined && what !== 'detail') throw new UsageError(`there is no status ${what}`);
        return said(on, await on.api.call('GET /api/status'), (body) => statusText(body, localZone, what === 'detail'));
      },
    },
    args,
    write,
    context,
  );

/** AsyncOS asks nothing either: the counters of the metrics go on. */
export const resetcounters = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    {
      usage: 'resetcounters [--hits]',
      flags: ['hits'],
      least: 0,
      async run(on, { flags }) {
        const answer = await on.api.call('POST /api/counters/reset', { body: { hits: flags.has('hits') } });
        return said(on, answer, ({ resetMs }) => `\nCounters reset: ${timeText(resetMs, localZone)}\n`);
      },
    },
    args,
    write,
    context,
  );

export const hoststatus = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    {
      usage: 'hoststatus [HOST]',
      least: 0,
      most: 1,
      async run(on, { rest }) {
        const host = rest[0] || (await on.dialogue.ask(line({ text: 'Recipient host:', read: required })));
        return said(on, await on.api.call('GET /api/queue/hosts/{host}', { path: { host } }), (body) =>
          hostText(body, localZone),
        );
      },
    },
    args,
    write,
    context,
  );

type Order = 'active' | 'connections' | 'delivered' | 'hard-bounced' | 'soft-bounced';
/** With the names that AsyncOS takes as arguments. */
const ORDERS: readonly { readonly value: Order; readonly label: string; readonly names: readonly string[] }[] = [
  { value: 'active', label: 'Active Recipients', names: ['active_rcpts', 'active'] },
  { value: 'connections', label: 'Connections Out', names: ['conn_out', 'connections'] },
  { value: 'delivered', label: 'Delivered Recipients', names: ['deliv_recip', 'delivered'] },
  { value: 'hard-bounced', label: 'Hard Bounced Recipients', names: ['hard_bounced_recip', 'hard-bounced'] },
  { value: 'soft-bounced', label: 'Soft Bounced Events', names: ['soft_bounced_evts', 'soft-bounced'] },
];

export const tophosts = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    {
      usage: 'tophosts [ORDER] [--limit N]',
      options: ['limit'],
      least: 0,
      most: 1,
      async run(on, { rest: [name], options }) {
        const limit = countOf(options['limit'], 1000);
        const sort =
          name === undefined && on.json
            ? 'active'
            : name === undefined
              ? await on.dialogue.ask(choice('Sort results by:', ORDERS, 'active'))
              : ORDERS.find(({ names }) => names.includes(name))?.value;
        if (sort === undefined)
          throw new UsageError(`there is no order ${name}: ${ORDERS.map(({ names }) => names[0]).join(', ')}`);
        const query = { sort, ...(limit === undefined ? {} : { limit }) };
        return said(on, await on.api.call('GET /api/queue/hosts', { query }), (body) => topHostsText(body, localZone));
      },
    },
    args,
    write,
    context,
  );

export const topin = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    {
      usage: 'topin [--limit N]',
      options: ['limit'],
      least: 0,
      async run(on, { options }) {
        const limit = countOf(options['limit'], 1000);
        const query = limit === undefined ? {} : { limit };
        return said(on, await on.api.call('GET /api/receiving/top', { query }), (body) => topInText(body, localZone));
      },
    },
    args,
    write,
    context,
  );

/** A count that an option gives. */
export function countOf(text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > most) throw new UsageError(`${JSON.stringify(text)} is no number from 1 to ${most}`);
  return count;
}
