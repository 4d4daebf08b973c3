/** Commands about alerts, named as in AsyncOS; `alertconfig` is among those of configuration objects. Effects: what they do. */
import type { Commands } from './command.ts';

export const ALERT_COMMANDS: Commands = {
  displayalerts: {
    usage: 'displayalerts [--limit N] [--json] [--data DIR]',
    does: 'the last alerts, and what became of their messages',
    run: async (args, write, context) => (await import('./displayalerts.io.ts')).displayalerts(args, write, context),
  },
};
