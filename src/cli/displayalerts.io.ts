/** `displayalerts`: the last alerts of the running gateway. Effects: the control socket, standard output. */
import { alertsText } from './alert-view.ts';
import { UsageError, type Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { localZone } from './monitor.io.ts';
import { runOperation, said } from './on-gateway.io.ts';

export const displayalerts = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    {
      usage: 'displayalerts [--limit N]',
      options: ['limit'],
      least: 0,
      async run(on, { options: { limit = '100' } }) {
        if (!/^[1-9]\d{0,3}$/.test(limit)) throw new UsageError('--limit is a whole number from 1 on');
        const answer = await on.api.call('GET /api/alerts');
        const first = answer.ok
          ? { ...answer, body: { ...answer.body, alerts: answer.body.alerts.slice(0, Number(limit)) } }
          : answer;
        return said(on, first, (body) => alertsText(body, localZone));
      },
    },
    args,
    write,
    context,
  );
