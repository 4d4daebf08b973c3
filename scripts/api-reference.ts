/**
 * The reference page of the HTTP API, from the OpenAPI document that the gateway itself gives out: each route with its
 * role, parameters, body, answer and problems, and each shape once. Shapes are written as TypeScript would.
 * Pure.
 */
import { PROBLEMS } from '../src/admin/problem.ts';
import { openApiDocument } from '../src/admin/openapi.ts';
import { ROLE_MEANING, ROLES } from '../src/admin/roles.ts';

type Schema = {
  readonly $ref?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly description?: string;
  readonly default?: unknown;
};
type Content = Readonly<Record<string, { readonly schema?: Schema }>>;
type Answer = { readonly description: string; readonly headers?: object; readonly content?: Content };
type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
};
type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly 'x-least-role'?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Answer>>;
};
type Document = {
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

const JSON_TYPE = 'application/json';

export function apiReference(): string {
  const { tags, paths, components } = openApiDocument('') as unknown as Document;
  const operations = Object.entries(paths).flatMap(([path, byMethod]) =>
    Object.entries(byMethod).map(([method, operation]) => ({ key: `${method.toUpperCase()} ${path}`, operation })),
  );
  const subjects = tags.map(({ name }) => {
    const own = operations.filter(({ operation }) => operation.tags.includes(name));
    return `## ${name}\n\n${own.map(({ key, operation }) => routeText(key, operation)).join('\n')}`;
  });
  const shapes = Object.entries(components.schemas).map(([name, schema]) => `### ${name}\n\n${block(schema)}`);
  return `${intro()}\n${subjects.join('\n')}\n## Shapes\n\n${shapes.join('\n')}`;
}

function intro(): string {
  const roles = ROLES.map((role) => `| ${role} | ${ROLE_MEANING[role]} |`);
  const problems = Object.entries(PROBLEMS).map(
    ([kind, { status, title }]) => `| ${status} | \`${kind}\` | ${title} |`,
  );
  return `How to sign in, and what it is good for: [administrators and the HTTP API](../recipes/api.md). The same for programs:
\`GET /api/openapi.json\`. Bodies are JSON; a member with \`?\` may be missing. Times are milliseconds since 1970 (UTC).

A route names the least role that may use it:

| role | may |
| --- | --- |
${roles.join('\n')}

Errors are problem details (RFC 9457): \`type\` is \`urn:sallyport:problem:\` and the kind. \`internal\` and \`unavailable\` are possible everywhere.

| status | kind | meaning |
| --- | --- | --- |
${problems.join('\n')}
`;
}

function routeText(key: string, operation: Operation): string {
  const { summary, operationId, parameters = [], requestBody, responses } = operation;
  const [status = '', good] = Object.entries(responses).find(([each]) => each.startsWith('2')) ?? [];
  const kinds = Object.values(responses)
    .flatMap(({ description }) =>
      [...description.matchAll(/urn:sallyport:problem:([a-z-]+)/g)].map(([, kind = '']) => kind),
    )
    .filter((kind) => kind !== 'internal' && kind !== 'unavailable');
  const body = requestBody?.content[JSON_TYPE]?.schema;
  const answer = good?.content?.[JSON_TYPE]?.schema;
  const other = Object.keys(good?.content ?? {}).join(', ');
  const answers = answer === undefined ? (other === '' ? '' : `, ${other}`) : '';
  const lines = [
    `### ${key}\n`,
    `${summary} Operation \`${operationId}\`; ${operation['x-least-role'] ?? 'nobody needs to be signed in'}.\n`,
    ...(parameters.length === 0 ? [] : [`${parameters.map(parameterText).join('\n')}\n`]),
    ...(body === undefined ? [] : [`Body:\n\n${block(body)}`]),
    `Answer ${status}${answers}${good?.headers === undefined ? '' : ', with an ETag'}${answer === undefined ? '.\n' : `:\n\n${block(answer)}`}`,
    ...(kinds.length === 0 ? [] : [`Problems: ${kinds.map((kind) => `\`${kind}\``).join(', ')}.\n`]),
  ];
  return lines.join('\n');
}

function parameterText({ name, in: where, required, description, schema }: Parameter): string {
  const preset = schema.default === undefined ? '' : `; ${JSON.stringify(schema.default)} if not given`;
  const need = required ? '' : ', may be missing';
  const shape = typeText(schema, '');
  return `- \`${name}\` (${where}${need}): \`${shape}\`${preset}${description === undefined ? '' : `. ${description}`}`;
}

const block = (schema: Schema): string => `\`\`\`ts\n${typeText(schema, '')}\n\`\`\`\n`;

function typeText(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return schema.$ref.replace(/^.*\//, '');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return [...new Set(either.map((each) => typeText(each, indent)))].join(' | ');
  if (schema.type === 'array') return arrayText(schema.items ?? {}, indent);
  if (schema.properties !== undefined) return objectText(schema, indent);
  const { additionalProperties: values } = schema;
  if (schema.type === 'object')
    return typeof values === 'object' ? `{ [name: string]: ${typeText(values, indent)} }` : 'object';
  if (schema.type === 'integer') return 'number';
  return schema.type ?? 'unknown';
}

function arrayText(items: Schema, indent: string): string {
  const text = typeText(items, indent);
  return text.includes(' | ') && !text.startsWith('{') ? `(${text})[]` : `${text}[]`;
}

function objectText({ properties = {}, required = [] }: Schema, indent: string): string {
  const inner = `${indent}  `;
  const members = Object.entries(properties).map(([name, schema]) => {
    const key = /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
    const notes = [
      ...(schema.description === undefined ? [] : [schema.description]),
      ...(schema.default === undefined ? [] : [`Default ${JSON.stringify(schema.default)}.`]),
    ];
    const note = notes.length === 0 ? '' : ` // ${notes.join(' ').replaceAll('\n', ' ')}`;
    return `${inner}${key}${required.includes(name) ? '' : '?'}: ${typeText(schema, inner)};${note}\n`;
  });
  return members.length === 0 ? '{}' : `{\n${members.join('')}${indent}}`;
}
