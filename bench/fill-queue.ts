/**
 * Fills the queue of a data folder through Sallyport's own store, in a process of its own, before a gateway opens it.
 * Usage: node fill-queue.ts DATA COUNT OCTETS DUE_IN_SECONDS. Effects: the data folder.
 */
import type { Icid, Rid } from '../src/core/ids.ts';
import { nextId } from '../src/queue/id-counters.ts';
import { openQueueStore } from '../src/queue/open-store.io.ts';
import { connectQueue } from '../src/queue/queue-client.io.ts';

const [dataDir = '', count = '0', octets = '1024', dueInSeconds = '0'] = process.argv.slice(2);
const IN_FLIGHT = 2000;
const LINE = `${'x'.repeat(76)}\r\n`;
const text = `Subject: bench\r\n\r\n${LINE.repeat(Math.ceil(Number(octets) / LINE.length))}`;
// A message is due when it arrives, so one that is not due for a while arrives later.
const receivedMs = Date.now() + Number(dueInSeconds) * 1000;

const store = await openQueueStore({ dataDir, log: { emit: () => undefined } });
const queue = connectQueue(store.connect());
let left = Number(count);

async function work(): Promise<void> {
  while (left-- > 0) {
    await queue.accept({
      mid: nextId(store.ids, 'mid'),
      icid: 1 as Icid,
      receivedMs,
      envelope: {
        sender: 'sender@bench.example',
        recipients: [{ rid: 0 as Rid, address: `person${left % 1000}@sink.example` }],
        body: '7BIT',
        smtpUtf8: false,
      },
      body: { kind: 'inline', bytes: Buffer.from(text) },
      origin: { listener: 'certificate', remoteAddress: '127.0.0.1', senderGroup: 'RELAYLIST', user: 'bench' },
    });
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, work));
queue.close();
await store.close();
