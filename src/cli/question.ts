/**
 * Questions as the AsyncOS command line asks them: a text, a prompt with the answer that an empty line stands for
 * (`[1]> `), and what an answer means. Decides nothing about terminals: `dialogue.io.ts` asks, and repeats a question whose
 * answer was not understood with the reason. Pure.
 */
export type Understood<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

export type Question<T> = {
  /** Printed before the prompt; may have several lines. */
  readonly text: string;
  readonly prompt: string;
  readonly understand: (answer: string) => Understood<T>;
  /** Not shown while it is typed, and not kept. */
  readonly secret?: true;
  /** A command: kept for the arrow keys. */
  readonly command?: true;
  /** What an answer could be, for the tabulator. */
  readonly words?: (typed: string) => readonly string[] | Promise<readonly string[]>;
};

export type Option<T> = {
  readonly value: T;
  readonly label: string;
  /** Answers it, too, where the label is a whole row. */
  readonly name?: string;
  /** And so does this: what stands in the configuration. */
  readonly word?: string;
};

const MAX_ANSWER_CHARACTERS = 65_536;

const understood = <T>(value: T): Understood<T> => ({ ok: true, value });
const not = (why: string): Understood<never> => ({ ok: false, why });

/** The answer without blanks around it, and `preset` for an empty line. */
export function line<T = string>(options: {
  readonly text: string;
  readonly preset?: string;
  /** What the text means, or why it is no answer; without it every text is one. */
  readonly read?: (text: string) => Understood<T>;
  readonly words?: readonly string[];
}): Question<T> {
  const { text, preset = '', read = (given) => understood(given as T), words } = options;
  return {
    text,
    prompt: `[${preset}]> `,
    understand: (answer) => read(trimmed(answer) || preset),
    ...(words === undefined ? {} : { words: (typed) => words.filter((word) => word.startsWith(typed)) }),
  };
}

/** An empty line where there is no preset is no answer. */
export function required(text: string): Understood<string> {
  return text === '' ? not('An answer is needed.') : understood(text);
}

/** A numbered list; the number, the label or the beginning of one label answers it. */
export function choice<T>(text: string, options: readonly Option<T>[], preset?: T): Question<T> {
  const at = options.findIndex(({ value }) => value === preset);
  const rows = options.map(({ label }, i) => `${i + 1}. ${label}`);
  const expected = options.length === 1 ? 'The only choice is 1.' : `Enter a number from 1 to ${options.length}.`;
  return {
    text: [text, ...rows].join('\n'),
    prompt: `[${at < 0 ? '' : at + 1}]> `,
    understand: (answer) => {
      const given = trimmed(answer);
      if (given === '') return at < 0 ? not(`An answer is needed. ${expected}`) : understood(preset as T);
      const found = chosen(given, options);
      return found === undefined
        ? not(`${JSON.stringify(given.slice(0, 60))} is no choice. ${expected}`)
        : understood(found.value);
    },
    words: (typed) =>
      options
        .map(({ label, name = label }) => name)
        .filter((each) => each.toLowerCase().startsWith(typed.toLowerCase())),
  };
}

/** The same with several answers, commas between. */
/** `presets` stand for an empty answer; without any, one is needed. */
export function choices<T>(text: string, options: readonly Option<T>[], presets: readonly T[]): Question<readonly T[]> {
  const one = choice(text, options);
  const numbers = presets.map((preset) => options.findIndex(({ value }) => value === preset) + 1);
  return {
    ...one,
    prompt: `[${numbers.join(',')}]> `,
    understand: (answer) => {
      if (trimmed(answer) === '' && presets.length > 0) return understood(presets);
      const given = trimmed(answer).split(',');
      const found: T[] = [];
      for (const each of given) {
        const understoodOne = one.understand(each);
        if (!understoodOne.ok) return understoodOne;
        if (!found.includes(understoodOne.value)) found.push(understoodOne.value);
      }
      return understood(found);
    },
  };
}

function chosen<T>(given: string, options: readonly Option<T>[]): Option<T> | undefined {
  // A label that is a number, such as a port, must not be hidden by its neighbour's position.
  const same = (text: string | undefined): boolean => text?.toLowerCase() === given.toLowerCase();
  const exact = options.find(({ label, name = label, word }) => same(name) || same(word));
  if (/^\d{1,6}$/.test(given) && (exact === undefined || Number(given) <= options.length))
    return options[Number(given) - 1];
  if (exact !== undefined) return exact;
  const beginning = options.filter(({ label, name = label }) => name.toLowerCase().startsWith(given.toLowerCase()));
  return beginning.length === 1 ? beginning[0] : undefined;
}

export function yesNo(text: string, preset: boolean): Question<boolean> {
  return {
    text,
    prompt: preset ? '[Y]> ' : '[N]> ',
    understand: (answer) => {
      const given = trimmed(answer).toLowerCase();
      if (given === '') return understood(preset);
      if (given === 'y' || given === 'yes') return understood(true);
      if (given === 'n' || given === 'no') return understood(false);
      return not('Answer Y for yes or N for no.');
    },
  };
}

export function secret(text: string): Question<string> {
  return {
    text,
    prompt: '> ',
    secret: true,
    understand: (answer) => (answer.length > MAX_ANSWER_CHARACTERS ? not('That is too long.') : understood(answer)),
  };
}

export type Operation = { readonly name: string; readonly does: string };

/** The menu of a command: undefined for an empty line, which goes back. */
export function operation<Each extends Operation>(operations: readonly Each[]): Question<Each | undefined> {
  const rows = operations.map(({ name, does }) => `- ${name.toUpperCase()} - ${does}`);
  const names = operations.map(({ name }) => name.toUpperCase());
  return {
    text: ['Choose the operation you want to perform:', ...rows].join('\n'),
    prompt: '[]> ',
    understand: (answer) => {
      const given = trimmed(answer).toLowerCase();
      if (given === '' || given === 'quit' || given === 'exit') return understood(undefined);
      const exact = operations.find(({ name }) => name === given);
      const beginning = operations.filter(({ name }) => name.startsWith(given));
      const found = exact ?? (beginning.length === 1 ? beginning[0] : undefined);
      if (found !== undefined) return understood(found);
      return not(
        `${JSON.stringify(trimmed(answer).slice(0, 60))} is no operation. Enter one of ${names.join(', ')}; an empty line goes back.`,
      );
    },
    words: (typed) => names.filter((name) => name.startsWith(typed.toUpperCase())),
  };
}

const trimmed = (answer: string): string => answer.slice(0, MAX_ANSWER_CHARACTERS).trim();
