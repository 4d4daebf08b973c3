/**
 * The reference of the configuration as Markdown, from the schema alone: key, type, default, meaning, AsyncOS term. The
 * same schema always gives the same text. Pure.
 */
import { z } from 'zod';
import { configSchema } from './schema.ts';

type Plain = string | number | boolean;

/** JSON Schema as zod writes it, with the meta keys of our schema. */
export type Shape = {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape | boolean;
  readonly required?: readonly string[];
  readonly items?: Shape;
  readonly enum?: readonly Plain[];
  readonly const?: Plain;
  readonly oneOf?: readonly Shape[];
  readonly anyOf?: readonly Shape[];
  readonly default?: Plain | Readonly<Record<string, Plain>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
  /** Notation of a value, in words. */
  readonly value?: string;
  /** What holds where the key is left out and no default is written into the configuration. */
  readonly otherwise?: string;
  readonly asyncos?: string;
  /** The section whose names are allowed here. */
  readonly refersTo?: string;
  readonly secret?: true;
  readonly file?: true;
  /** Placeholder for the names that an administrator chooses. */
  readonly key?: string;
  /** A value that a configuration could begin with. */
  readonly example?: unknown;
};

/** The whole schema, with what a person may write. */
export const configurationShape = (): Shape => z.toJSONSchema(configSchema, { io: 'input' }) as Shape;

export type Row = { readonly path: string; readonly shape: Shape; readonly required: boolean };

/** One heading per top-level key, one table row per key below it. */
export function describeConfiguration(): string {
  const root = configurationShape();
  const sections = Object.entries(root.properties ?? {}).map(([key, shape]) =>
    section({ path: key, shape, required: root.required?.includes(key) ?? false }),
  );
  return sections.join('\n');
}

/** Every key with its description, for a check that none is missing. */
export function describedKeys(): { readonly path: string; readonly description: string | undefined }[] {
  const root = configurationShape();
  return rowsBelow({ path: '', shape: root, required: true }).map(({ path, shape }) => ({
    path,
    description: shape.description,
  }));
}

function section(top: Row): string {
  const { path, shape, required } = top;
  const parts = [`## ${path}\n`, `${shape.description ?? ''}${asyncosNote(shape)}\n`];
  const choices = recordOf(shape)?.oneOf;
  if (choices !== undefined) {
    for (const choice of choices) {
      const type = String(choice.properties?.['type']?.const);
      parts.push(
        `### ${path} with \`type: ${type}\`\n`,
        table(rowsBelow({ path: `${path}.${shape.key ?? 'NAME'}`, shape: choice, required })),
      );
    }
    return parts.join('\n');
  }
  const rows = rowsBelow(top);
  parts.push(rows.length > 0 ? table(rows) : leafLine(top));
  return parts.join('\n');
}

const asyncosNote = ({ asyncos }: Shape): string => (asyncos === undefined ? '' : ` AsyncOS: ${asyncos}.`);
const leafLine = (row: Row): string =>
  `Type: ${typeOf(row.shape)}. ${row.required ? 'Required' : `Default: ${defaultOf(row)}`}.\n`;
export const recordOf = ({ additionalProperties }: Shape): Shape | undefined =>
  typeof additionalProperties === 'object' ? additionalProperties : undefined;

function rowsBelow({ path, shape }: Row): Row[] {
  if (shape.properties !== undefined) {
    return Object.entries(shape.properties).flatMap(([key, inner]) => {
      const row = {
        path: path === '' ? key : `${path}.${key}`,
        shape: inner,
        required: shape.required?.includes(key) ?? false,
      };
      return [row, ...rowsBelow(row)];
    });
  }
  const inner = recordOf(shape);
  if (inner !== undefined) {
    const named = { path: `${path}.${shape.key ?? 'NAME'}`, shape: inner, required: false };
    return (inner.oneOf ?? [inner]).flatMap((choice) => rowsBelow({ ...named, shape: choice }));
  }
  return shape.items === undefined ? [] : rowsBelow({ path: `${path}[]`, shape: shape.items, required: false });
}

function table(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const cells = [
      `\`${row.path}\``,
      typeOf(row.shape),
      row.required ? '**required**' : defaultOf(row),
      row.shape.description ?? '',
      row.shape.asyncos ?? '',
    ];
    return `| ${cells.map(cell).join(' | ')} |`;
  });
  return ['| key | type | default | meaning | AsyncOS |', '| --- | --- | --- | --- | --- |', ...lines, ''].join('\n');
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

export function typeOf(shape: Shape): string {
  if (shape.value !== undefined) return shape.value;
  if (shape.enum !== undefined) return shape.enum.map((word) => `\`${String(word)}\``).join(', ');
  if (shape.const !== undefined) return `\`${String(shape.const)}\``;
  if (recordOf(shape) !== undefined) return 'mapping by name';
  switch (shape.type) {
    case 'array':
      return shape.items === undefined || shape.items.properties !== undefined
        ? 'list'
        : `list of: ${typeOf(shape.items)}`;
    case 'object':
      return 'mapping';
    case 'boolean':
      return '`true`, `false`';
    case 'integer':
    case 'number':
      return `whole number${rangeOf(shape)}`;
    case undefined:
    default:
      return 'text';
  }
}

function rangeOf({ minimum, maximum }: Shape): string {
  if (minimum === undefined) return '';
  return maximum === undefined || maximum === Number.MAX_SAFE_INTEGER
    ? `, at least ${minimum}`
    : `, ${minimum} to ${maximum}`;
}

export function defaultOf({ shape }: Row): string {
  if (shape.otherwise !== undefined) return shape.otherwise;
  if (recordOf(shape) !== undefined) return 'empty';
  const value = shape.default;
  if (value === undefined || value === '') return 'none';
  if (typeof value !== 'object') return `\`${String(value)}\``;
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : `\`[${value.join(', ')}]\``;
  const entries = Object.entries(value);
  return entries.length === 0
    ? 'empty'
    : `\`{ ${entries.map(([key, inner]) => `${key}: ${String(inner)}`).join(', ')} }\``;
}
