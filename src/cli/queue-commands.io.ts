/**
 * `showrecipients`, `showmessage`, `deleterecipients`, `bouncerecipients`, `delivernow`: work on the queue of the running
 * gateway. Asked nothing they ask as AsyncOS does; what cannot be undone is asked for again, unless `--yes` says so. A long
 * queue is worked on in parts, and each part is done when it is counted; Ctrl-C leaves the rest as it is.
 * Effects: the control socket, standard output.
 */
import { counted } from '../core/counted.ts';
import type { QueueSelection } from '../core/queue-selection.ts';
import { printable } from '../core/reply.ts';
import { type Arguments, UsageError, type Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import type { Dialogue } from './dialogue.io.ts';
import { countOf, localZone } from './monitor.io.ts';
import { runOperation, said, type OnGateway } from './on-gateway.io.ts';
import { choice, line, required, yesNo } from './question.ts';
import { messageText, RECIPIENTS_HEAD, type RecipientShown, recipientsText } from './queue-view.ts';

const PAGE = 200;
const MOST_SHOWN = 1_000_000_000;
const WHICH = ['host', 'sender', 'mid', 'rid'] as const;
const WHICH_USAGE = '[--host HOST | --sender ADDRESS | --mid MID [--rid RID] | --all]';

/** What the options say; undefined where they say nothing. */
function selectionOf({ options, flags }: Arguments): QueueSelection | undefined {
  const { host, sender, mid, rid } = options;
  const given = [host, sender, mid, flags.has('all') ? 'all' : undefined].filter((each) => each !== undefined);
  if (given.length > 1) throw new UsageError('only one of --host, --sender, --mid and --all');
  if (rid !== undefined && mid === undefined) throw new UsageError('--rid goes with --mid');
  if (host !== undefined) return { by: 'host', host };
  if (sender !== undefined) return { by: 'sender', sender };
  if (mid !== undefined)
    return {
      by: 'message',
      mid: numberOf(mid, '--mid'),
      ...(rid === undefined ? {} : { rid: numberOf(rid, '--rid') }),
    };
  return flags.has('all') ? { by: 'all' } : undefined;
}

function numberOf(text: string, what: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${what} is a number`);
  return Number(text);
}

/** As AsyncOS asks. */
async function askSelection(dialogue: Dialogue, verb: string): Promise<QueueSelection> {
  const by = await dialogue.ask(
    choice(
      `Please select how you would like to ${verb} messages:`,
      [
        { value: 'host', label: 'By recipient host.' },
        { value: 'sender', label: 'By Envelope From address.' },
        { value: 'all', label: 'All.' },
      ],
      'host',
    ),
  );
  if (by === 'all') return { by: 'all' };
  const what = by === 'host' ? 'hostname' : 'Envelope From address';
  const text = `\nPlease enter the ${what} for the messages you wish to ${verb}.`;
  const value = await dialogue.ask(line({ text, read: required }));
  return by === 'host' ? { by: 'host', host: value } : { by: 'sender', sender: value };
}

function sureText(selection: QueueSelection, verb: string): string {
  const sure = `\nAre you sure you want to ${verb}`;
  if (selection.by === 'host') return `${sure} all messages being delivered to "${selection.host}"?`;
  if (selection.by === 'sender') return `${sure} all messages with the Envelope From address of "${selection.sender}"?`;
  if (selection.by === 'message')
    return `${sure} MID ${selection.mid}${selection.rid === undefined ? '' : ` RID ${selection.rid}`}?`;
  return `${sure} all messages in the delivery queue (all active recipients)?`;
}

type Verb = 'delete' | 'bounce';
const DOING = { delete: 'Deleting', bounce: 'Bouncing' } as const;
const DONE = { delete: 'deleted', bounce: 'bounced' } as const;
const ROUTE = { delete: 'POST /api/queue/delete', bounce: 'POST /api/queue/bounce' } as const;

const dispose =
  (verb: Verb) =>
  (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
    runOperation(
      {
        usage: `${verb}recipients ${WHICH_USAGE} [--reason TEXT] [--yes]`,
        options: [...WHICH, 'reason'],
        flags: ['all', 'yes'],
        least: 0,
        async run(on, parsed) {
          const selection = selectionOf(parsed) ?? (await askSelection(on.dialogue, verb));
          if (!parsed.flags.has('yes') && !(await on.dialogue.ask(yesNo(sureText(selection, verb), false)))) {
            write('Nothing was changed.\n');
            return 0;
          }
          return disposeAll(on, verb, { selection, reason: parsed.options['reason'] });
        },
      },
      args,
      write,
      context,
    );

export const deleterecipients = dispose('delete');
export const bouncerecipients = dispose('bounce');

type Order = { readonly selection: QueueSelection; readonly reason: string | undefined };

async function disposeAll(on: OnGateway, verb: Verb, { selection, reason }: Order): Promise<number> {
  const sum = { recipients: 0, messages: 0, bounces: 0, inDelivery: 0 };
  const say = (text: string): void => {
    if (!on.json) on.write(text);
  };
  say(`\n${DOING[verb]} messages, please wait.\n`);
  for (let after: string | undefined, part = 1; part === 1 || after !== undefined; part++) {
    const body = { selection, ...(reason === undefined ? {} : { reason }), ...(after === undefined ? {} : { after }) };
    const answer = await on.api.call(ROUTE[verb], { body });
    if (!answer.ok) {
      say(`${recipientsOf(sum.recipients)} ${DONE[verb]} before that.\n`);
      return said(on, answer, () => '');
    }
    const done = { bounces: 0, ...answer.body };
    for (const name of ['recipients', 'messages', 'bounces', 'inDelivery'] as const) sum[name] += done[name];
    after = answer.body.after;
    if (after !== undefined) say(`${recipientsOf(sum.recipients)} ${DONE[verb]} so far ...\n`);
  }
  if (on.json) on.write(`${JSON.stringify(sum, null, 2)}\n`);
  say(`${recipientsOf(sum.recipients)} ${DONE[verb]}.\n`);
  if (sum.inDelivery > 0)
    say(
      `${recipientsOf(sum.inDelivery)} in delivery at this moment, not touched: their delivery decides. suspenddel first, to reach them.\n`,
    );
  return 0;
}

const recipientsOf = (count: number): string => counted(count, 'recipient');

export const delivernow = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    {
      usage: 'delivernow [--host HOST | --mid MID | --all]',
      options: [...WHICH],
      flags: ['all'],
      least: 0,
      async run(on, parsed) {
        const selection = selectionOf(parsed) ?? (await askDeliverNow(on.dialogue));
        const to = selection.by === 'host' ? ` to ${printable(selection.host)}` : '';
        if (!on.json) write(`\nScheduling all messages${to} for delivery.\n`);
        let recipients = 0;
        for (let after: string | undefined, part = 1; part === 1 || after !== undefined; part++) {
          const body = { selection, ...(after === undefined ? {} : { after }) };
          const answer = await on.api.call('POST /api/queue/deliver-now', { body });
          if (!answer.ok) return said(on, answer, () => '');
          recipients += answer.body.recipients;
          after = answer.body.after;
        }
        write(on.json ? `${JSON.stringify({ recipients }, null, 2)}\n` : `${recipientsOf(recipients)} scheduled.\n`);
        return 0;
      },
    },
    args,
    write,
    context,
  );

async function askDeliverNow(dialogue: Dialogue): Promise<QueueSelection> {
  const by = await dialogue.ask(
    choice(
      'Please choose an option for scheduling immediate delivery.',
      [
        { value: 'host', label: 'By recipient host' },
        { value: 'all', label: 'All messages' },
      ],
      'host',
    ),
  );
  if (by === 'all') return { by: 'all' };
  const text = '\nPlease enter the domain to schedule for immediate delivery.';
  return { by: 'host', host: await dialogue.ask(line({ text, read: required })) };
}

export const showrecipients = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    {
      usage: 'showrecipients [--host HOST | --sender ADDRESS | --mid MID | --all] [--limit N]',
      options: ['host', 'sender', 'mid', 'limit'],
      flags: ['all'],
      least: 0,
      async run(on, parsed) {
        const most = countOf(parsed.options['limit'], MOST_SHOWN) ?? MOST_SHOWN;
        const selection = selectionOf(parsed) ?? (await askSelection(on.dialogue, 'show'));
        if (!on.json) write(`\nShowing messages, please wait.\n\n${RECIPIENTS_HEAD}`);
        return showAll(on, selection, most);
      },
    },
    args,
    write,
    context,
  );

/** With --json a line per recipient, because the queue may be longer than memory. */
async function showAll(on: OnGateway, selection: QueueSelection, most: number): Promise<number> {
  const { by: _, ...query } = selection;
  let shown = 0;
  for (let after: string | undefined, page = 1; (page === 1 || after !== undefined) && shown < most; page++) {
    const limit = Math.min(PAGE, most - shown);
    const answer = await on.api.call('GET /api/queue/recipients', {
      query: { ...query, subjects: 'yes', limit, ...(after === undefined ? {} : { after }) },
    });
    if (!answer.ok) return said(on, answer, () => '');
    const { recipients } = answer.body;
    on.write(on.json ? jsonLines(recipients) : recipientsText(recipients, localZone));
    shown += recipients.length;
    after = answer.body.after;
  }
  if (!on.json) on.write(`${recipientsOf(shown)} shown.\n`);
  return 0;
}

const jsonLines = (recipients: readonly RecipientShown[]): string =>
  recipients.map((each) => `${JSON.stringify(each)}\n`).join('');

export const showmessage = (args: readonly string[], write: Write, context: CommandContext): Promise<number> =>
  runOperation(
    {
      usage: 'showmessage [MID]',
      least: 0,
      most: 1,
      async run(on, { rest }) {
        const given = rest[0] ?? (await on.dialogue.ask(line({ text: 'Enter the MID to show.', read: required })));
        const mid = numberOf(given, 'a MID');
        return said(on, await on.api.call('GET /api/queue/messages/{mid}', { path: { mid } }), (body) =>
          messageText(body, localZone),
        );
      },
    },
    args,
    write,
    context,
  );
