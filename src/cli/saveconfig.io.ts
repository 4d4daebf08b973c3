/**
 * `showconfig`, `saveconfig`, `loadconfig`: the whole configuration as text. With arguments they are `sallyport config show`,
 * `save` and `load`; asked nothing, the last two ask what AsyncOS asks and then do the same. Effects: the configuration,
 * files, standard output.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Write } from './arguments.ts';
import type { CommandContext } from './command.ts';
import { usageOf } from './commands-configuration.io.ts';
import { configOperation } from './config.io.ts';
import { onConfiguration, placeAlone } from './on-configuration.io.ts';
import { choice, line, required } from './question.ts';

export const showconfig = (args: readonly string[], write: Write): Promise<number> =>
  configOperation('show', args, write, usageOf('showconfig'));

type Secrets = 'masked' | 'sealed' | 'clear';

const SECRETS: readonly { readonly value: Secrets; readonly label: string }[] = [
  { value: 'masked', label: 'Mask passphrases (loaded again, such a file keeps those that are there)' },
  { value: 'sealed', label: 'Encrypt passphrases' },
  { value: 'clear', label: 'Plain passphrases' },
];

const SECRET_FLAGS: Readonly<Record<Secrets, readonly string[]>> = {
  masked: [],
  sealed: ['--with-secrets'],
  clear: ['--with-secrets', '--clear'],
};

export async function saveconfig(args: readonly string[], write: Write, { dialogue }: CommandContext): Promise<number> {
  const place = placeAlone(args);
  if (place === undefined) return await configOperation('save', args, write, usageOf('saveconfig'));
  const name = await fileName(place, write);
  if (name === undefined) return 1;
  const secrets = await dialogue.ask(choice('Choose the passphrase option:', SECRETS, 'masked'));
  const file = await dialogue.ask(line({ text: 'Enter the name of the file:', preset: name, read: required }));
  return await configOperation('save', [file, ...SECRET_FLAGS[secrets], ...place], write);
}

/** Undefined where there is no configuration; then that was said. */
async function fileName(place: readonly string[], write: Write): Promise<string | undefined> {
  let name: string | undefined;
  await onConfiguration(place, write, {
    usage: '',
    run: async ({ store, status }) => {
      const hostname = await store.document('running', ['hostname']);
      const time = new Date().toISOString().replace(/[-:]|\.\d+Z$/g, '');
      name = `${hostname.ok && typeof hostname.value === 'string' ? hostname.value : 'sallyport'}-${status.running.number}-${time}.yaml`;
      return 0;
    },
  });
  return name;
}

export async function loadconfig(args: readonly string[], write: Write, { dialogue }: CommandContext): Promise<number> {
  const place = placeAlone(args);
  if (place === undefined) return await configOperation('load', args, write, usageOf('loadconfig'));
  const from = await dialogue.ask(
    choice<'paste' | 'file'>(
      'Where is the configuration?',
      [
        { value: 'paste', label: 'Paste via CLI' },
        { value: 'file', label: 'Load from file' },
      ],
      'file',
    ),
  );
  if (from === 'file') {
    const file = await dialogue.ask(line({ text: 'Enter the name of the file to import:', read: required }));
    return await configOperation('load', [file, ...place], write);
  }
  const text = await dialogue.lines(
    'Paste the configuration file now; file names in it must be absolute. A line with a single dot ends it.',
  );
  const folder = mkdtempSync(path.join(tmpdir(), 'sallyport-load-'));
  try {
    const file = path.join(folder, 'pasted.yaml');
    writeFileSync(file, text, { mode: 0o600 });
    return await configOperation('load', [file, ...place], write);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
