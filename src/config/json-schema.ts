/**
 * The JSON Schema of a configuration (draft 2020-12) for editors: completion, descriptions, and most of what `check` says.
 * What our schema marks for ourselves becomes words that every editor knows. Pure.
 */
import { z } from 'zod';
import { configSchema } from './schema.ts';

type Node = Record<string, unknown>;
type Marks = {
  readonly description?: string;
  readonly asyncos?: string;
  readonly value?: string;
  readonly otherwise?: string;
  readonly secret?: true;
  readonly example?: unknown;
};

/** Marks of our own, see `describe.ts` and `document-places.ts`; a validator in strict mode would refuse them. */
const OWN_MARKS = ['value', 'otherwise', 'asyncos', 'key', 'secret', 'file', 'refersTo', 'example'];

export function configurationJsonSchema(): Node {
  const schema = z.toJSONSchema(configSchema, { io: 'input' }) as Node;
  return { ...plain(schema), title: 'Sallyport configuration' };
}

/** A schema and all schemas in it. Names of the configuration's own keys are under `properties` and stay as they are. */
function plain(node: Node): Node {
  const { description, asyncos, value, otherwise, secret, example } = node as Marks;
  const words = [
    description,
    value === undefined ? undefined : `Notation: ${value}.`,
    otherwise === undefined ? undefined : `Without it: ${otherwise}.`,
    asyncos === undefined ? undefined : `AsyncOS: ${asyncos}.`,
  ].filter((each) => each !== undefined);
  const kept = Object.entries(node).filter(([key]) => !OWN_MARKS.includes(key));
  return {
    ...Object.fromEntries(kept.map(([key, inner]) => [key, INSIDE[key]?.(inner) ?? inner])),
    ...(words.length > 0 ? { description: words.join(' ') } : {}),
    ...(secret === true ? { writeOnly: true } : {}),
    ...(example === undefined ? {} : { examples: [example] }),
  };
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value);
const one = (value: unknown): unknown => (isNode(value) ? plain(value) : value);
const several = (value: unknown): unknown => (Array.isArray(value) ? value.map(one) : value);
const byName = (value: unknown): unknown =>
  isNode(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, one(inner)])) : value;

/** Keywords of JSON Schema that have schemas in them. */
const INSIDE: Readonly<Record<string, (value: unknown) => unknown>> = {
  properties: byName,
  additionalProperties: one,
  propertyNames: one,
  items: one,
  anyOf: several,
  oneOf: several,
  allOf: several,
};
