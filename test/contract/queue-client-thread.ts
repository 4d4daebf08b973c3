/** A client thread for the tests of the queue store: accepts messages, claims half of them and stays. */
import { parentPort, workerData } from 'node:worker_threads';
import { connectQueue } from '../../src/queue/queue-client.io.ts';
import { newMessage } from './queue-messages.ts';

const { port, firstMid, count } = workerData;
const queue = connectQueue(port);
await Promise.all(Array.from({ length: count }, (_, i) => queue.accept(newMessage({ mid: firstMid + i }))));
await queue.claim(`thread ${firstMid}`, 1e12, 1e9, count / 2);
parentPort?.on('message', () => {});
parentPort?.postMessage(count);
