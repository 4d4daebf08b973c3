/**
 * What zod found wrong, in the words of `check`: which key, what is wrong with it, what is allowed, and what was
 * probably meant. Values are never repeated, for they may be secrets; only words in place of an allowed word are. Pure.
 */
import { z } from 'zod';
import { type Fault, fault } from '../core/fault.ts';
import { configSchema } from './schema.ts';
import { didYouMean, listed, nearest } from './suggestion.ts';

type Path = readonly (string | number)[];
type Issue = z.core.$ZodIssue;

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping of keys',
  record: 'a mapping of names',
  array: 'a list',
};

type Checked = { readonly data: unknown; readonly schema: z.core.$ZodType };

/** One fault per thing that is wrong. `data` is what was checked, `schema` what it was checked against. */
export function schemaFaults(issues: readonly Issue[], data: unknown, schema: z.core.$ZodType = configSchema): Fault[] {
  return issues.flatMap((issue) => faultsOf(issue, issue.path.map(plainStep), { data, schema }));
}

const plainStep = (step: PropertyKey): string | number => (typeof step === 'number' ? step : String(step));

function faultsOf(issue: Issue, path: Path, checked: Checked): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    const allowed = allowedKeys(path, checked);
    return issue.keys.map((key) =>
      fault(
        [...path, key],
        `unknown key${didYouMean(key, allowed)}${didYouMean(key, allowed) ? '' : ';'} allowed: ${listed(allowed)}`,
      ),
    );
  }
  const value = valueAt(checked.data, path);
  if (value === undefined && issue.code !== 'invalid_key') return [fault(path, `is missing; ${expected(issue)}`)];
  if (value === null) return [fault(path, `has no value; ${expected(issue)}`)];
  return [fault(path, wordsFor(issue, value))];
}

function wordsFor(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('Invalid input') ? `${expected(issue)}, not ${kindOf(value)}` : issue.message;
    case 'invalid_value':
      return notOneOf(issue.values.map(String), value);
    case 'invalid_union':
      return issue.discriminator === undefined ? issue.message : notOneOf(optionsOf(issue), value);
    case 'too_small':
    case 'too_big':
      return issue.message.startsWith('Too ') ? expected(issue) : issue.message;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    case 'unrecognized_keys':
    case 'invalid_element':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'custom':
      return issue.message;
  }
}

/** What is allowed here, as half a sentence. */
function expected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('Invalid input')
        ? `must be ${TYPE_WORDS[issue.expected] ?? issue.expected}`
        : issue.message;
    case 'invalid_value':
      return `allowed: ${listed(issue.values.map(String))}`;
    case 'invalid_union':
      return issue.discriminator === undefined ? issue.message : `allowed: ${listed(optionsOf(issue))}`;
    case 'too_small':
      return `must ${bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', Number(issue.minimum))}`;
    case 'too_big':
      return `must ${bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', Number(issue.maximum))}`;
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'custom':
      return issue.message;
  }
}

function bound(origin: string, word: string, limit: number): string {
  if (origin === 'string') return limit === 1 ? 'not be empty' : `have ${word} ${limit} characters`;
  if (origin === 'array') return `have ${word} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  return `be ${word} ${limit}`;
}

const optionsOf = (issue: Issue & { code: 'invalid_union' }): string[] =>
  'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];

function notOneOf(allowed: readonly string[], value: unknown): string {
  if (typeof value !== 'string') return `allowed: ${listed(allowed)}, not ${kindOf(value)}`;
  const shown = value.length > 60 ? `${value.slice(0, 60)}...` : value;
  const hint = didYouMean(value, allowed);
  return `${JSON.stringify(shown)} is not allowed${hint}${hint === '' ? ';' : ''} allowed: ${listed(allowed)}`;
}

function kindOf(value: unknown): string {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return 'a fraction or a number that large';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return { string: 'text', number: 'a number', boolean: 'true or false' }[typeof value as string] ?? 'that';
}

/**
 * A copy of the data without the keys that the schema does not know. `as`: what becomes of them; `meant` takes them for
 * the keys that were probably meant, where those are not there.
 */
export function withoutUnknownKeys(issues: readonly Issue[], data: unknown, as: 'nothing' | 'meant'): unknown {
  const copy: unknown = structuredClone(data);
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const path = issue.path.map(plainStep);
    const parent = valueAt(copy, path) as Record<string, unknown>;
    const allowed = allowedKeys(path, { data, schema: configSchema });
    for (const key of issue.keys) {
      const meant = as === 'meant' ? nearest(key, allowed) : undefined;
      if (meant !== undefined && !Object.hasOwn(parent, meant)) parent[meant] = parent[key];
      delete parent[key];
    }
  }
  return copy;
}

function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** The keys that the schema knows at a path; where it is a choice, those of the choice that `type` in the data makes. */
function allowedKeys(path: Path, { data, schema: root }: Checked): string[] {
  let schema = root;
  for (const [i, step] of path.entries()) {
    const next = childSchema(unwrapSchema(schema, valueAt(data, path.slice(0, i))), step);
    if (next === undefined) return [];
    schema = next;
  }
  const here = unwrapSchema(schema, valueAt(data, path));
  return here instanceof z.ZodObject ? Object.keys(here.shape) : [];
}

/** What stands below one step. */
export function childSchema(schema: z.core.$ZodType, step: string | number): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[step];
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return schema instanceof z.ZodArray ? schema.element : undefined;
}

/** The schema that a value meets behind defaults; where it is a choice, the one that `type` in the data makes. */
export function unwrapSchema(schema: z.core.$ZodType, data: unknown): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return unwrapSchema(schema.unwrap(), data);
  }
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const type = valueAt(data, ['type']);
  const chosen = schema.options.find(
    (option) => option instanceof z.ZodObject && option.shape['type']?.safeParse(type).success === true,
  );
  return chosen ?? schema;
}
