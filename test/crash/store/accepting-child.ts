/**
 * A small gateway without SMTP for the crash tests: accepts messages over the store from several sessions at once and
 * prints `ACK mid` for each one after its promise has resolved. It also finishes every fifth message and prints `END
 * mid` before it asks for that, so that a message without END must never be missing.
 * Arguments: data folder, number of messages (0 = until killed), inline | spooled | mixed.
 */
import { writeSync } from 'node:fs';
import path from 'node:path';
import type { Body } from '../../../src/core/ports.ts';
import type { Mid } from '../../../src/core/ids.ts';
import { nextId } from '../../../src/queue/id-counters.ts';
import { openQueueStore } from '../../../src/queue/open-store.io.ts';
import { connectQueue } from '../../../src/queue/queue-client.io.ts';
import { openSpoolWriter } from '../../../src/queue/spool.io.ts';
import { bodyBytes, newMessage, recordingLog } from '../../contract/queue-messages.ts';
import { bodySizeOf } from './crash-bodies.ts';

const [dataDir = '', count = '0', kind = 'mixed'] = process.argv.slice(2);
const SESSIONS = kind === 'mixed' ? 12 : 1;
const spoolDir = path.join(dataDir, 'spool');
// A pipe holds what was written when the process dies, so a printed line is never lost.
const print = (line: string): void => void writeSync(1, `${line}\n`);

const store = await openQueueStore({ dataDir, log: recordingLog() });
const queue = connectQueue(store.connect());
let left = count === '0' ? Number.POSITIVE_INFINITY : Number(count);

async function bodyOf(mid: Mid): Promise<Body> {
  const bytes = bodyBytes(mid, bodySizeOf(mid));
  if (kind === 'inline' || (kind === 'mixed' && bytes.length <= 65_536)) return { kind: 'inline', bytes };
  const writer = await openSpoolWriter(spoolDir, mid);
  await writer.write([bytes.subarray(0, 1000), bytes.subarray(1000)]);
  return { kind: 'spooled', ...(await writer.commit()) };
}

async function session(): Promise<void> {
  while (left-- > 0) {
    const mid = nextId(store.ids, 'mid');
    const message = newMessage({ mid, to: ['a@example.org', 'b@example.org'], body: await bodyOf(mid) });
    await queue.accept(message);
    print(`ACK ${mid}`);
    if (mid % 5 !== 0 || kind !== 'mixed') continue;
    print(`END ${mid}`);
    const recipients = message.envelope.recipients;
    await queue.settle(
      recipients.map(({ rid }) => ({ mid, rid, outcome: 'delivered', response: '250' })),
      [],
    );
  }
}

print('OPEN');
await Promise.all(Array.from({ length: SESSIONS }, session));
await store.close();
