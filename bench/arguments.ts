/** The command line of `npm run bench`. Pure but for what it says about a wrong one. */
import { parseArgs } from 'node:util';
import { whyOf } from '../src/core/errors.ts';
import { PEER_NAMES } from './peers/peer.ts';

export type BenchOptions = {
  /** Rows to run; empty: all. */
  readonly names: readonly string[];
  readonly peers: readonly string[] | undefined;
  readonly rounds: number;
  readonly seconds: number;
  readonly quick: boolean;
  /** Whether the page is written: only where everything was measured in full. */
  readonly writes: boolean;
};

/** Undefined where the arguments are not understood; standard error says why. */
export function readArguments(args: readonly string[], known: readonly string[]): BenchOptions | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        peers: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        quick: { type: 'boolean', default: false },
      },
    });
    const { quick } = values;
    const peers = values.peers?.split(',');
    for (const name of positionals)
      if (!known.includes(name)) throw new Error(`no row ${name}; there are ${known.join(', ')}`);
    for (const name of peers ?? []) {
      if (!PEER_NAMES.some((one) => one === name))
        throw new Error(`no server ${name}; there are ${PEER_NAMES.join(', ')}`);
    }
    const rounds = Number(values.rounds ?? (quick ? 1 : 3));
    const seconds = Number(values.seconds ?? (quick ? 1 : 1.5));
    if (!Number.isInteger(rounds) || rounds < 1 || !(seconds >= 0.5 && seconds <= 600)) {
      throw new Error('--rounds is a whole number from 1, --seconds a number from 0.5 to 600');
    }
    return {
      names: positionals,
      peers,
      rounds,
      seconds,
      quick,
      writes: !quick && positionals.length === 0 && peers === undefined,
    };
  } catch (error) {
    console.error(whyOf(error));
    return undefined;
  }
}
