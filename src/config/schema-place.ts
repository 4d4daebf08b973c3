/**
 * Places of the schema: the keys that an object of the configuration may have, with what the schema says about each, and
 * whether a single value would do at its place. Forms of the command line ask with it, so that no bound and no word is
 * written twice. Pure.
 */
import { z } from 'zod';
import { configurationShape, recordOf, type Shape } from './describe.ts';
import { isMapping, type Json, type Path, valueAt } from './document.ts';
import { childSchema, schemaFaults, unwrapSchema } from './schema-faults.ts';
import { configSchema } from './schema.ts';

export type SchemaKey = {
  /** Below the object: ['bind', 'dn']. */
  readonly path: readonly string[];
  readonly shape: Shape;
  readonly required: boolean;
};

let whole: Shape | undefined;

/** What the schema says about a place; where it is a choice, the one that `type` in the object makes. */
export function shapeAt(place: Path, object: Json | undefined): Shape | undefined {
  whole ??= configurationShape();
  const shape = place.reduce<Shape | undefined>(
    (above, step) =>
      above?.properties?.[String(step)] ?? (above === undefined ? undefined : (recordOf(above) ?? above.items)),
    whole,
  );
  const type = isMapping(object) ? object['type'] : undefined;
  return shape?.oneOf === undefined
    ? shape
    : shape.oneOf.find(({ properties }) => properties?.['type']?.const === type);
}

/** Every key of the object at the place, those of objects within it behind their own. */
export function keysAt(place: Path, object: Json | undefined): SchemaKey[] {
  const shape = shapeAt(place, object);
  return shape === undefined ? [] : keysOf(shape, []);
}

function keysOf({ properties = {}, required = [] }: Shape, above: readonly string[]): SchemaKey[] {
  return Object.entries(properties).flatMap(([key, shape]) => {
    const path = [...above, key];
    return [{ path, shape, required: required.includes(key) }, ...keysOf(shape, path)];
  });
}

/** Why the value cannot stand at the place of this document; undefined where it can, as far as the schema knows. */
export function faultAt(document: Json, path: Path, value: Json): string | undefined {
  let schema: z.core.$ZodType = configSchema;
  for (const [i, step] of path.entries()) {
    const next = childSchema(unwrapSchema(schema, valueAt(document, path.slice(0, i))), step);
    if (next === undefined) return 'there is no such key';
    schema = next;
  }
  const checked = z.safeParse(schema, value);
  if (checked.success) return undefined;
  const [first] = schemaFaults(checked.error.issues, value, schema);
  if (first === undefined) return 'is not allowed';
  return first.path.length === 0 ? first.message : `${first.path.join('.')}: ${first.message}`;
}

/** Why this is no name for an object of a section. */
export function nameFault(place: Path, name: string): string | undefined {
  const schema = place.reduce<z.core.$ZodType | undefined>(
    (above, step) => (above === undefined ? undefined : childSchema(unwrapSchema(above, undefined), step)),
    configSchema,
  );
  const record = schema === undefined ? undefined : unwrapSchema(schema, undefined);
  if (!(record instanceof z.ZodRecord)) return 'nothing here has names';
  const checked = z.safeParse(record.keyType, name);
  return checked.success ? undefined : checked.error.issues[0]?.message;
}
