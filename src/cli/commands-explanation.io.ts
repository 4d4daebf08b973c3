/** Commands that tell why or what would be, with the names of AsyncOS. Effects: what the commands do. */
import type { Commands } from './command.ts';

export const EXPLANATION_COMMANDS: Commands = {
  tlsverify: {
    usage:
      'tlsverify [DOMAIN [--host HOST[:PORT]] [--port PORT] [--ca NAME] [--json]] [--data DIR [--candidate] | --config FILE]',
    does: 'connects to the hosts that mail for a domain goes to, and shows each step of TLS and the certificates',
    run: async (args, write, context) => (await import('./tlsverify.io.ts')).tlsverify(args, write, context),
  },
};
