/** Command line arguments: options with values, flags, and what is left. Pure. */
export type Write = (text: string) => void;

export type Arguments = {
  readonly options: Readonly<Record<string, string>>;
  readonly flags: ReadonlySet<string>;
  readonly rest: readonly string[];
};

/** Wrong usage, in words. */
export class UsageError extends Error {}

export type ArgumentSpec = { readonly options?: readonly string[]; readonly flags?: readonly string[] };

/** Returns what is wrong as a string where the arguments do not fit the command. */
export function parseArguments(
  args: readonly string[],
  { options = [], flags = [] }: ArgumentSpec,
): Arguments | string {
  const values: Record<string, string> = {};
  const set = new Set<string>();
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    const [name = '', inline] = arg.startsWith('--') ? splitAtEquals(arg.slice(2)) : [];
    if (!arg.startsWith('--')) rest.push(arg);
    else if (flags.includes(name) && inline === undefined) set.add(name);
    else if (options.includes(name)) {
      const value = inline ?? args[++i];
      if (value === undefined) return `--${name} needs a value`;
      values[name] = value;
    } else return `unknown option --${name}`;
  }
  return { options: values, flags: set, rest };
}

function splitAtEquals(text: string): [string, string | undefined] {
  const at = text.indexOf('=');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
