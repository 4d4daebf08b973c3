/**
 * Reads what `strace -f -ttt` wrote: how many syncs there were, and whether every 250 to a final dot had its sync. Pure.
 */

/** The calls from a time on, in seconds since 1970: what the start cost is not the messages'. */
export const since = (trace: string, from: number): string =>
  trace
    .split('\n')
    .filter((line) => Number(/^\d+\s+([\d.]+) /.exec(line)?.[1] ?? 0) >= from)
    .join('\n');

type Call = { readonly name: string; readonly text: string; readonly begin: number; readonly end: number };

/** Calls in the order in which they ended; a call that another thread interrupted in the trace is put together again. */
function* callsOf(trace: string): Generator<Call> {
  const unfinished = new Map<string, { begin: number; name: string; text: string }>();
  let line = 0;
  for (const text of trace.split('\n')) {
    line += 1;
    const match = /^(\d+)\s+[\d.]+ (.*)$/.exec(text);
    if (match === null) continue;
    const [, pid = '', rest = ''] = match;
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest);
    if (resumed !== null) {
      const start = unfinished.get(pid);
      unfinished.delete(pid);
      if (start !== undefined)
        yield { name: start.name, text: start.text + (resumed[2] ?? ''), begin: start.begin, end: line };
      continue;
    }
    const name = /^(\w+)\(/.exec(rest)?.[1];
    if (name === undefined) continue;
    if (rest.endsWith('<unfinished ...>')) unfinished.set(pid, { begin: line, name, text: rest });
    else yield { name, text: rest, begin: line, end: line };
  }
}

const isSync = ({ name, text }: Call): boolean => (name === 'fsync' || name === 'fdatasync') && / = 0\b/.test(text);

export function countSyncs(trace: string): number {
  let count = 0;
  for (const call of callsOf(trace)) if (isSync(call)) count += 1;
  return count;
}

export type Order = { readonly proven: number; readonly broken: number; readonly first?: string };

/**
 * For each socket: the dot was read when the call that brought it ended; a 250 that is written afterwards is right only if
 * some sync began after that and ended before the write began.
 */
export function checkOrder(trace: string): Order {
  const dots = new Map<string, number>();
  let proven = 0;
  let broken = 0;
  let first: string | undefined;
  // The begin of the latest-begun sync that has ended.
  let synced = 0;
  const calls = [...callsOf(trace)].flatMap((call) => [
    { at: call.end, call, ends: true },
    { at: call.begin, call, ends: false },
  ]);
  calls.sort((a, b) => a.at - b.at || Number(a.ends) - Number(b.ends));
  for (const { call, ends } of calls) {
    if (ends && isSync(call)) synced = Math.max(synced, call.begin);
    const socket = /^\w+\((\d+),/.exec(call.text)?.[1];
    if (socket === undefined) continue;
    if (ends && /^(read|recv)/.test(call.name) && call.text.includes('\\r\\n.\\r\\n"')) dots.set(socket, call.end);
    if (ends || !/^(write|send)/.test(call.name) || !/"250[ -]/.test(call.text)) continue;
    const dot = dots.get(socket);
    if (dot === undefined) continue;
    dots.delete(socket);
    if (synced > dot) proven += 1;
    else {
      broken += 1;
      first ??= call.text.slice(0, 120);
    }
  }
  return { proven, broken, ...(first === undefined ? {} : { first }) };
}
