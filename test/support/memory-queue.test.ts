/** The queue of the delivery tests keeps the contract of the port that it stands for. */
import { queueStoreContract } from '../contract/queue-contract.ts';
import { MemoryQueue } from './memory-queue.ts';

queueStoreContract('memory', { open: async () => new MemoryQueue(), close: async () => undefined });
