/**
 * A configuration to start from, as YAML: what is required is there with an example, everything else is there behind a
 * `#`, with what it means, what is allowed and what holds without it. From the schema alone. Pure.
 */
import { configurationShape, defaultOf, recordOf, type Shape, typeOf } from './describe.ts';

const WIDTH = 120;
const HEADING = [
  'Sallyport configuration. Lines of "#" and a blank are remarks. Other lines that begin with "#" are settings that',
  'are not made: take the "#" away and write your own value. Names in capitals stand for names that you choose.',
  'sallyport check FILE says whether it is right; sallyport config schema is for your editor.',
];

type Block = { readonly shape: Shape; readonly required: boolean; readonly depth: number };

export function describeAsYaml(): string {
  const root = configurationShape();
  const sections = Object.entries(root.properties ?? {}).map(([key, shape]) => {
    const required = root.required?.includes(key) ?? false;
    const lines = [...remark(shape, { required, depth: 0 }), ...setting(key, { shape, required, depth: 0 })];
    return required ? withoutMarks(lines) : lines;
  });
  const heading = HEADING.map((line) => `# ${line}`);
  return `${[heading, ...sections].map((lines) => `${lines.join('\n')}\n`).join('\n')}`;
}

/** Every line of a setting has the mark; a required section loses it where its own keys are required. */
const withoutMarks = (lines: readonly string[]): string[] =>
  lines.map((line) => (line.startsWith(KEEP) ? line.slice(1) : line));

const KEEP = '\0';
const markOf = (required: boolean): string => (required ? KEEP : '#');
const indent = (depth: number): string => '  '.repeat(depth);

function remark(shape: Shape, { required, depth }: Omit<Block, 'shape'>): string[] {
  const scalar =
    shape.properties === undefined && recordOf(shape) === undefined && shape.items?.properties === undefined;
  const otherwise = defaultOf({ path: '', shape, required }).replaceAll('`', '');
  const facts = [
    shape.description ?? '',
    scalar ? `${shape.enum === undefined ? 'Type' : 'Allowed'}: ${typeOf(shape).replaceAll('`', '')}.` : '',
    required ? 'Required.' : scalar && otherwise !== 'none' && otherwise !== 'empty' ? `Default: ${otherwise}.` : '',
    shape.asyncos === undefined ? '' : `AsyncOS: ${shape.asyncos}.`,
  ];
  const lead = depth === 0 ? '# ' : `#${indent(depth)}# `;
  return wrapped(facts.filter((fact) => fact !== '').join(' '), WIDTH - lead.length).map((line) => `${lead}${line}`);
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function setting(key: string, { shape, required, depth }: Block): string[] {
  const mark = markOf(required);
  const lead = `${mark}${indent(depth)}`;
  const record = recordOf(shape);
  if (shape.example !== undefined) return exampleLines(key, shape.example, lead);
  if (shape.properties !== undefined) return [`${lead}${key}:`, ...members(shape, { required, depth: depth + 1 })];
  if (record !== undefined) {
    const choices = record.oneOf ?? [record];
    const entries = choices.flatMap((choice) => {
      const type = choice.properties?.['type']?.const;
      const name = `${shape.key ?? 'NAME'}${type === undefined ? '' : `-${String(type)}`}`;
      if (choice.properties === undefined) return [`${mark}${indent(depth + 1)}${name}: ${placeholder(choice)}`];
      return [`${mark}${indent(depth + 1)}${name}:`, ...members(choice, { required, depth: depth + 2 })];
    });
    return [`${lead}${key}:`, ...entries];
  }
  if (shape.items?.properties !== undefined) {
    const [first = '', ...others] = members(shape.items, { required: false, depth: depth + 2 });
    return [`${lead}${key}:`, `${mark}${indent(depth + 1)}-`, first, ...others];
  }
  return [`${lead}${key}: ${placeholder(shape)}`];
}

function members(shape: Shape, { required, depth }: Omit<Block, 'shape'>): string[] {
  return Object.entries(shape.properties ?? {}).flatMap(([key, inner]) => {
    const needed = required && (shape.required?.includes(key) ?? false);
    const isRequired = shape.required?.includes(key) ?? false;
    return [
      ...remark(inner, { required: isRequired, depth }),
      ...setting(key, { shape: inner, required: needed, depth }),
    ];
  });
}

/** A list of mappings as one line each; everything else as JSON, which is YAML. */
function exampleLines(key: string, example: unknown, lead: string): string[] {
  if (!Array.isArray(example) || typeof example[0] !== 'object') return [`${lead}${key}: ${JSON.stringify(example)}`];
  return [`${lead}${key}:`, ...example.map((entry) => `${lead}  - ${JSON.stringify(entry)}`)];
}

function placeholder(shape: Shape): string {
  const { default: otherwise, enum: words, const: only } = shape;
  if (otherwise !== undefined) return JSON.stringify(otherwise);
  if (only !== undefined) return JSON.stringify(only);
  if (words !== undefined) return JSON.stringify(words[0]);
  if (shape.type === 'array') return `[${shape.items === undefined ? '' : placeholder(shape.items)}]`;
  if (shape.type === 'boolean') return 'false';
  if (shape.type === 'integer' || shape.type === 'number') return String(shape.minimum ?? 0);
  return '""';
}
