/**
 * A form: which keys of a configuration object are asked, in which order and words. What kind of question a key is, its
 * default, its bounds and its explanation come from the schema. The same keys are the options of the command for scripts:
 * `tcpQueue` is `--tcp-queue`, `bind.dn` is `--bind-dn`. Pure.
 */
import { policyNames } from '../config/built-in-policies.ts';
import { isList, isMapping, isSame, type Json, type Mapping, type Path, valueAt } from '../config/document.ts';
import { recordOf, typeOf, type Shape } from '../config/describe.ts';
import { faultAt, keysAt, type SchemaKey } from '../config/schema-place.ts';
import { choice, line, type Option, type Question, type Understood, yesNo } from './question.ts';

export type Field = {
  /** Below the object, with dots. */
  readonly key: string;
  /** The question; without it the words of the schema. */
  readonly ask?: string;
  /** Other words for the values of an enumeration, in the order to show them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Asked only then. */
  readonly when?: (object: Mapping) => boolean;
  /** Proposed where nothing is configured. */
  readonly preset?: Json;
  /** What holds where nothing is configured, in place of the schema's default: an answer that repeats it is left out. */
  readonly inherited?: Json;
  /** Of the names that a key may refer to, those whose object will do. */
  readonly suits?: (named: Json | undefined, object: Mapping) => boolean;
  /** Why a value that the schema takes will not do all the same. */
  readonly judge?: (value: Json, object: Mapping) => string | undefined;
  /** Said after the answer. */
  readonly remark?: (value: Json | undefined) => string | undefined;
};

/** Where an object is, and in which document: the names that it may refer to are there. */
export type Place = { readonly path: Path; readonly document: Json };

/** How a key is asked: with a question that gives a value, in several lines, or without echo. */
export type Asking =
  | { readonly how: 'question'; readonly question: Question<Json | undefined> }
  | {
      readonly how: 'lines' | 'secret';
      readonly text: string;
      readonly understand: (text: string) => Understood<Json | undefined>;
    }
  /** There is nothing that could be answered. */
  | { readonly how: 'nothing'; readonly why: string; readonly needed: boolean };

const REMOVE = '-';

export const fieldPath = ({ key }: Pick<Field, 'key'>): string[] => key.split('.');

/** Undefined where the object, as its `type` makes it, has no such key. */
export function asking(field: Field, object: Mapping, place: Place): Asking | undefined {
  const path = fieldPath(field);
  const key = keysAt(place.path, object).find((each) => each.path.join('.') === field.key);
  if (key === undefined) return undefined;
  const current = valueAt(object, path);
  const { shape } = key;
  const text = textOf(field, key);
  const otherwise = field.inherited ?? shape.default;
  const preset = current ?? field.preset ?? otherwise;
  // What holds anyway is not written down.
  const kept = (value: Json | undefined): Json | undefined =>
    current === undefined && field.preset === undefined && isSame(value, otherwise) ? undefined : value;
  if (shape.properties !== undefined)
    return asked(yesNo(text, current !== undefined), (yes) => (yes ? (current ?? {}) : undefined));
  if (shape.type === 'boolean') return asked(yesNo(text, preset === true), kept);
  if (shape.enum !== undefined) return asked(choice(text, enumOptions(field, shape), preset), kept);
  if (shape.refersTo !== undefined && !isList(current))
    return reference(text, key, { current, names: suitableNames(shape.refersTo, field, object, place) });
  const understand = judged(reader(key, { object, place }), field, object);
  if (shape.secret === true)
    return { how: 'secret', text: secretText(text, current), understand: keeping(understand, current) };
  if (shape.value === 'PEM')
    return {
      how: 'lines',
      text: `${text} A line with a single dot ends it${current === undefined ? '' : '; a dot alone keeps what is there'}.`,
      understand: keeping(understand, current),
    };
  const removable = !key.required && current !== undefined;
  const read = (given: string): Understood<Json | undefined> =>
    removable && given === REMOVE ? { ok: true, value: undefined } : understand(given);
  const question = line<Json | undefined>({
    text: removable ? `${text} (${REMOVE} for none)` : text,
    preset: preset === undefined ? '' : shown(preset),
    read,
  });
  // An empty line keeps the value itself: as a text it might read differently.
  const keeps = (answer: string): Understood<Json | undefined> =>
    preset !== undefined && answer.trim() === '' ? { ok: true, value: preset } : question.understand(answer);
  return asked({ ...question, understand: keeps }, kept);
}

function judged(read: ReturnType<typeof reader>, { key, judge }: Field, object: Mapping): typeof read {
  if (judge === undefined) return read;
  return (text) => {
    const understood = read(text);
    const why = understood.ok && understood.value !== undefined ? judge(understood.value, object) : undefined;
    return why === undefined ? understood : { ok: false, why: `${key}: ${why}` };
  };
}

function asked<T>(question: Question<T>, value: (answer: T) => Json | undefined): Asking {
  const understand = (answer: string): Understood<Json | undefined> => {
    const understood = question.understand(answer);
    return understood.ok ? { ok: true, value: value(understood.value) } : understood;
  };
  return { how: 'question', question: { ...question, understand } };
}

/** `Max. Concurrent Connections: concurrent connections (1 to 100000).` */
function textOf(field: Field, { shape }: SchemaKey): string {
  if (field.ask !== undefined) return field.ask;
  const { description = field.key, asyncos, otherwise } = shape;
  const kind =
    shape.enum === undefined && shape.type !== 'boolean' && shape.properties === undefined ? ` [${typeOf(shape)}]` : '';
  const unset = otherwise === undefined ? '' : ` Otherwise: ${otherwise}.`;
  return `${asyncos === undefined ? '' : `${asyncos}: `}${description}${unset}${kind}`;
}

const secretText = (text: string, current: Json | undefined): string =>
  current === undefined ? text : `${text} (nothing keeps the one that is there)`;

function enumOptions({ labels = {} }: Field, { enum: words = [] }: Shape): Option<Json>[] {
  const order = Object.keys(labels).length > 0 ? Object.keys(labels) : words;
  return order.map((word) => ({ value: word, label: labels[String(word)] ?? String(word), word: String(word) }));
}

type Referring = { readonly current: Json | undefined; readonly names: readonly string[] };

function reference(text: string, { shape, required }: SchemaKey, { current, names }: Referring): Asking {
  const section = shape.refersTo ?? '';
  if (names.length === 0)
    return { how: 'nothing', needed: required, why: `There is nothing yet under ${section} to choose from.` };
  const options: Option<Json | undefined>[] = names.map((name) => ({ value: name, label: name }));
  if (!required) options.push({ value: undefined, label: 'None' });
  // Without a choice so far an optional reference begins with None.
  const preset = current ?? (required ? names[0] : undefined);
  return asked(choice(text, options, preset), (value) => value);
}

/** What is configured already stays among them, whether it suits or not. */
function suitableNames(section: string, { suits, key }: Field, object: Mapping, { document }: Place): string[] {
  const names = namesOf(document, section);
  if (suits === undefined) return names;
  const current = valueAt(object, fieldPath({ key }));
  return names.filter((name) => name === current || suits(valueAt(document, [...section.split('.'), name]), object));
}

/** The names that a key may refer to; what is built in counts. */
export function namesOf(document: Json, section: string): string[] {
  const found = valueAt(document, section.split('.'));
  const defined = isMapping(found) ? found : {};
  return section === 'mailFlowPolicies' ? policyNames(defined) : Object.keys(defined);
}

type Reading = { readonly object: Mapping; readonly place: Place };

/** What a text means for a key: the first reading that the schema takes, else why the first one will not do. */
export function reader(key: SchemaKey, { object, place }: Reading): (text: string) => Understood<Json | undefined> {
  return (text) => {
    if (text === '' && !key.required) return { ok: true, value: undefined };
    if (text === '') return { ok: false, why: `An answer is needed: ${key.shape.description ?? key.path.join('.')}` };
    const around = withValue({}, place.path, object);
    const faults: string[] = [];
    for (const value of readings(text, key)) {
      const why =
        faultAt(around, [...place.path, ...key.path], value) ?? referenceFault(value, key.shape, place.document);
      if (why === undefined) return { ok: true, value };
      faults.push(why);
    }
    return { ok: false, why: `${key.path.join('.')}: ${faults[0] ?? 'is not allowed'}` };
  };
}

function referenceFault(value: Json, { refersTo, items }: Shape, document: Json): string | undefined {
  const section = refersTo ?? items?.refersTo;
  if (section === undefined) return undefined;
  const names = namesOf(document, section);
  const unknown = (isList(value) ? value : [value]).find((name) => typeof name !== 'string' || !names.includes(name));
  return unknown === undefined
    ? undefined
    : `${section} has no ${JSON.stringify(unknown)}; there ${names.length === 0 ? 'is nothing yet' : `are: ${names.join(', ')}`}`;
}

function readings(text: string, { shape, path }: SchemaKey): Json[] {
  const found: Json[] = [];
  if (path.at(-1) === 'schedule') found.push(...scheduleOf(text));
  const lists = shape.type === 'array' || shape.anyOf?.some(({ type }) => type === 'array') === true;
  if (shape.type === 'integer' || shape.type === 'number') found.push(/^-?\d{1,15}$/.test(text) ? Number(text) : text);
  else if (shape.type !== 'array') found.push(text);
  if (lists)
    found.push(
      text
        // A remark in parentheses may have commas.
        .split(/,(?![^()]*\))/)
        .map((each) => each.trim())
        .filter((each) => each !== ''),
    );
  try {
    found.push(JSON.parse(text) as Json);
  } catch {
    // Most texts are no JSON.
  }
  return found;
}

function scheduleOf(text: string): Json[] {
  const [, kind = '', rest = ''] = /^(every|daily|cron)\s+(.+)$/.exec(text) ?? [];
  return kind === '' ? [] : [{ [kind]: rest }];
}

/** A value as an answer would be. */
export function shown(value: Json): string {
  if (typeof value === 'string') return value;
  if (isList(value) && value.every((each) => typeof each === 'string')) return value.join(', ');
  if (isMapping(value)) {
    const [[key, inner] = [], ...more] = Object.entries(value);
    if (key !== undefined && more.length === 0 && typeof inner === 'string' && /^(every|daily|cron)$/.test(key))
      return `${key} ${inner}`;
  }
  return JSON.stringify(value);
}

/** Nothing keeps what is there. */
const keeping =
  (understand: (text: string) => Understood<Json | undefined>, current: Json | undefined) =>
  (text: string): Understood<Json | undefined> =>
    text === '' ? { ok: true, value: current } : understand(text);

/** The object with a value at a path; without one the key goes, and an object within it that is empty then. */
export function withValue(object: Json, [step, ...rest]: Path, value: Json | undefined): Json {
  if (step === undefined) return value ?? {};
  const inner = valueAt(object, [step]);
  const next = rest.length === 0 ? value : withValue(inner ?? {}, rest, value);
  if (isList(object) && typeof step === 'number')
    return next === undefined ? object.toSpliced(step, 1) : object.toSpliced(step, 1, next);
  const { [String(step)]: _, ...others } = isMapping(object) ? object : {};
  if (next === undefined || (value === undefined && isMapping(next) && Object.keys(next).length === 0)) return others;
  // In the place where it was.
  return inner === undefined ? { ...others, [String(step)]: next } : { ...(object as Mapping), [String(step)]: next };
}

/** `bind.passwordFile` as an option: `bind-password-file`. */
export const optionName = (path: readonly string[]): string =>
  path.map((step) => step.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)).join('-');

/** Options with their texts; `typed` are secrets that a person typed or a script wrote to standard input. */
export type Given = {
  readonly options: Readonly<Record<string, string>>;
  readonly typed: Readonly<Record<string, string>>;
};

/** Options as the object with their values, or why not. `-` or an empty value removes; a secret is never an argument. */
export function withOptions(object: Mapping, { options, typed }: Given, place: Place): Understood<Mapping> {
  let next: Mapping = object;
  // The type first: it decides which other keys there are.
  const given = Object.entries(options).toSorted(([a], [b]) => Number(b === 'type') - Number(a === 'type'));
  for (const [option, text] of given) {
    if (option === 'type') next = { ...next, type: text };
    const key = keysAt(place.path, next).find(({ path }) => optionName(path) === option);
    if (key === undefined) return { ok: false, why: noSuchOption(option, next, place) };
    const secret = key.shape.secret === true;
    if (secret && typed[option] === undefined)
      return { ok: false, why: `--${option}: a secret is no argument, because others could see it; - asks for it` };
    const removes = !secret && (text === '' || text === REMOVE);
    const value: Understood<Json | undefined> = removes
      ? { ok: true, value: undefined }
      : reader(key, { object: next, place })(typed[option] ?? text);
    if (!value.ok) return value;
    const changed = withValue(next, key.path, value.value);
    next = isMapping(changed) ? changed : next;
  }
  return { ok: true, value: next };
}

/** An unknown type is why no key is known. */
function noSuchOption(option: string, object: Mapping, { path }: Place): string {
  const why = option === 'type' ? faultAt({}, path, object) : undefined;
  return why === undefined ? `--${option} is no option here` : `--type: ${why.replace(/^type: /, '')}`;
}

const keysOfAll = (path: Path, objects: readonly Mapping[]): SchemaKey[] =>
  objects
    .flatMap((object) => keysAt(path, object))
    .filter(({ shape }) => shape.properties === undefined && recordOf(shape) === undefined);

/** The options that a script may give: every key with a value of its own. */
export const optionNames = (path: Path, objects: readonly Mapping[]): string[] => [
  ...new Set(keysOfAll(path, objects).map(({ path: key }) => optionName(key))),
];

/** Those among them whose value is asked for. */
export const secretOptions = (path: Path, objects: readonly Mapping[]): string[] =>
  keysOfAll(path, objects)
    .filter(({ shape }) => shape.secret === true)
    .map(({ path: key }) => optionName(key));
