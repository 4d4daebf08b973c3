/** Servers of other people that say nothing when they are ready: they are, when they accept. Effects: loopback sockets. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import net from 'node:net';
import { eventually } from './eventually.ts';

/** Resolves when the program accepts connections there, rejects when it has ended. */
export async function accepting(program: ChildProcess, port: number, host = '127.0.0.1'): Promise<void> {
  await eventually(async () => {
    if (program.exitCode !== null || program.signalCode !== null)
      throw new Error(`${program.spawnfile} has ended with ${program.exitCode ?? program.signalCode}`);
    assert.ok(await accepts(port, host), `${program.spawnfile} does not accept connections on ${host}:${port}`);
  });
}

const accepts = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, host);
    const answer = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => answer(true)).once('error', () => answer(false));
  });
