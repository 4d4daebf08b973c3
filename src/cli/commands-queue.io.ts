/** Commands about the queue, status and what is suspended, named as in AsyncOS. Effects: what the commands do. */
import type { Commands } from './command.ts';

const WHICH = '[--host HOST | --sender ADDRESS | --mid MID [--rid RID] | --all]';

export const QUEUE_COMMANDS: Commands = {
  status: {
    usage: 'status [detail] [--json] [--data DIR]',
    does: 'system status, counters since their reset and since the start, connections and queue',
    operations: ['detail'],
    run: async (args, write, context) => (await import('./monitor.io.ts')).status(args, write, context),
  },
  resetcounters: {
    usage: 'resetcounters [--hits] [--json] [--data DIR]',
    does: 'the counters of status begin anew; with --hits those of unused, exemptions and monitored, too',
    run: async (args, write, context) => (await import('./monitor.io.ts')).resetcounters(args, write, context),
  },
  hoststatus: {
    usage: 'hoststatus [HOST] [--json] [--data DIR]',
    does: 'one recipient host: up or down, recipients, outcomes, addresses, last 5XX error',
    run: async (args, write, context) => (await import('./monitor.io.ts')).hoststatus(args, write, context),
  },
  tophosts: {
    usage: 'tophosts [ORDER] [--limit N] [--json] [--data DIR]',
    does: 'recipient hosts with most active recipients, connections out, delivered, hard or soft bounced',
    operations: ['active_rcpts', 'conn_out', 'deliv_recip', 'hard_bounced_recip', 'soft_bounced_evts'],
    run: async (args, write, context) => (await import('./monitor.io.ts')).tophosts(args, write, context),
  },
  topin: {
    usage: 'topin [--limit N] [--json] [--data DIR]',
    does: 'remote hosts with most connections in',
    run: async (args, write, context) => (await import('./monitor.io.ts')).topin(args, write, context),
  },
  showrecipients: {
    usage: 'showrecipients [--host HOST | --sender ADDRESS | --mid MID | --all] [--limit N] [--json] [--data DIR]',
    does: 'recipients in the queue',
    run: async (args, write, context) => (await import('./queue-commands.io.ts')).showrecipients(args, write, context),
  },
  showmessage: {
    usage: 'showmessage [MID] [--json] [--data DIR]',
    does: 'one message of the queue: where it came from, its recipients, its header',
    run: async (args, write, context) => (await import('./queue-commands.io.ts')).showmessage(args, write, context),
  },
  deleterecipients: {
    usage: `deleterecipients ${WHICH} [--reason TEXT] [--yes] [--json] [--data DIR]`,
    does: 'deletes recipients from the queue; nobody is told',
    run: async (args, write, context) =>
      (await import('./queue-commands.io.ts')).deleterecipients(args, write, context),
  },
  bouncerecipients: {
    usage: `bouncerecipients ${WHICH} [--reason TEXT] [--yes] [--json] [--data DIR]`,
    does: 'bounces recipients in the queue to their senders, who read the reason',
    run: async (args, write, context) =>
      (await import('./queue-commands.io.ts')).bouncerecipients(args, write, context),
  },
  delivernow: {
    usage: 'delivernow [--host HOST | --mid MID | --all] [--json] [--data DIR]',
    does: 'makes the next attempt of recipients now',
    run: async (args, write, context) => (await import('./queue-commands.io.ts')).delivernow(args, write, context),
  },
  workqueue: {
    usage:
      'workqueue [status|pause|resume|rate] [--reason TEXT] [--yes] [--every SECONDS] [--count N] [--json] [--data DIR]',
    does: 'the work queue: new messages wait in it while it is paused',
    operations: ['status', 'pause', 'resume', 'rate'],
    run: async (args, write, context) => (await import('./workqueue.io.ts')).workqueue(args, write, context),
  },
  suspend: {
    usage: 'suspend [--wait SECONDS] [--reason TEXT] [--json] [--data DIR]',
    does: 'suspends receiving on all listeners, and delivery, over restarts',
    run: async (args, write, context) => (await import('./suspend.io.ts')).suspend(args, write, context),
  },
  suspendlistener: {
    usage: 'suspendlistener [LISTENER... | --all] [--wait SECONDS] [--reason TEXT] [--json] [--data DIR]',
    does: 'suspends receiving: new connections get 421',
    run: async (args, write, context) => (await import('./suspend.io.ts')).suspendListener(args, write, context),
  },
  suspenddel: {
    usage: 'suspenddel [--wait SECONDS] [--reason TEXT] [--json] [--data DIR]',
    does: 'suspends delivery: mail is accepted and waits',
    run: async (args, write, context) => (await import('./suspend.io.ts')).suspendDelivery(args, write, context),
  },
  resume: {
    usage: 'resume [--json] [--data DIR]',
    does: 'resumes receiving on all listeners, and delivery',
    run: async (args, write, context) => (await import('./suspend.io.ts')).resume(args, write, context),
  },
  resumelistener: {
    usage: 'resumelistener [LISTENER... | --all] [--json] [--data DIR]',
    does: 'resumes receiving',
    run: async (args, write, context) => (await import('./suspend.io.ts')).resumeListener(args, write, context),
  },
  resumedel: {
    usage: 'resumedel [--json] [--data DIR]',
    does: 'resumes delivery',
    run: async (args, write, context) => (await import('./suspend.io.ts')).resumeDelivery(args, write, context),
  },
};
