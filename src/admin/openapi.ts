/**
 * The OpenAPI 3.1 document, from the route table alone. Shapes with an id stand once under `components` and are referred
 * to. Responses are described as they are sent, requests as they may be sent. Pure.
 */
import { z } from 'zod';
import { PROBLEMS, type ProblemKind, problemType } from './problem.ts';
import { problemBody } from './schemas.ts';
import { ALWAYS_POSSIBLE, methodOf, pathOf, problemsOf, type Route } from './route.ts';
import { ROLE_MEANING, ROLES } from './roles.ts';
import { ROUTE_KEYS, ROUTES } from './routes.ts';

type Json = Record<string, unknown>;

export function openApiDocument(version: string): Json {
  const components = new Components();
  const paths: Record<string, Json> = {};
  for (const key of ROUTE_KEYS) {
    const path = (paths[pathOf(key)] ??= {});
    path[methodOf(key).toLowerCase()] = operation(key, ROUTES[key], components);
  }
  components.of(problemBody, 'output');
  return {
    openapi: '3.1.1',
    info: { title: 'Sallyport', version, description: DESCRIPTION },
    servers: [{ url: '/' }],
    security: [{ session: [] }, { token: [] }],
    tags: [...new Set(ROUTE_KEYS.map((key) => ROUTES[key].subject))].map((name) => ({ name })),
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: '__Host-sallyport', description: 'Set by the logins.' },
        token: { type: 'http', scheme: 'bearer', description: 'An API token.' },
      },
    },
  };
}

const DESCRIPTION = `The gateway's API. Errors are problem details (RFC 9457). Roles, each with what the ones before it may: ${ROLES.map(
  (role) => `${role} (${ROLE_MEANING[role]})`,
).join('; ')}. A change by cookie must come from the gateway's own origin.`;

/** Collects the shapes that have an id. */
class Components {
  readonly schemas: Record<string, Json> = {};

  of(schema: z.ZodType, io: 'input' | 'output'): Json {
    // A shape that transforms or sets defaults reads otherwise than it writes: those are described in place.
    const { $schema: _, $defs, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
    for (const [id, definition] of Object.entries(($defs ?? {}) as Record<string, Json>))
      this.schemas[id] ??= pointed(definition) as Json;
    const id = schema.meta()?.id;
    if (typeof id !== 'string') return pointed(rest) as Json;
    this.schemas[id] ??= pointed(rest) as Json;
    return { $ref: `#/components/schemas/${id}` };
  }
}

/** JSON Schema's references as OpenAPI's. */
function pointed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pointed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === '$ref' && typeof inner === 'string'
        ? inner.replace(/^#\/\$defs\//, '#/components/schemas/')
        : pointed(inner),
    ]),
  );
}

function operation(key: string, route: Route, components: Components): Json {
  const { operation: operationId, summary, subject, least } = route;
  return {
    operationId,
    summary,
    tags: [subject],
    ...(least === 'nobody' ? { security: [] } : { 'x-least-role': least }),
    ...parameters(route, components),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: components.of(route.body, 'input') } },
          },
        }),
    responses: { ...goodAnswer(route, components), ...problemAnswers(key, route) },
  };
}

function parameters(route: Route, components: Components): Json {
  const list = [
    ...parametersIn('path', route.path, components),
    ...parametersIn('query', route.query, components),
    ...(route.ifMatch === undefined
      ? []
      : [
          {
            name: 'If-Match',
            in: 'header',
            required: route.ifMatch === 'needed',
            description: 'The entity tag of what was read; `*` for whatever is there.',
            schema: { type: 'string' },
          },
        ]),
  ];
  return list.length === 0 ? {} : { parameters: list };
}

function parametersIn(where: 'path' | 'query', schema: z.ZodObject | undefined, components: Components): Json[] {
  if (schema === undefined) return [];
  return Object.entries(schema.shape as Record<string, z.ZodType>).map(([name, shape]) => {
    const { description, ...rest } = components.of(shape, 'input');
    const required = where === 'path' || !shape.safeParse(undefined).success;
    return { name, in: where, required, ...(description === undefined ? {} : { description }), schema: rest };
  });
}

function goodAnswer(route: Route, components: Components): Json {
  const headers =
    route.etag === true ? { headers: { ETag: { description: 'For If-Match.', schema: { type: 'string' } } } } : {};
  if (route.text !== undefined) {
    const { contentType, means } = route.text;
    return { '200': { description: means, content: { [contentType.split(';')[0] ?? contentType]: {} } } };
  }
  if (route.response === undefined) return { '204': { description: 'Done.' } };
  const content = { 'application/json': { schema: components.of(route.response, 'output') } };
  return { [String(route.status ?? 200)]: { description: 'Done.', ...headers, content } };
}

/** One answer per status; its description names each kind. */
function problemAnswers(key: string, route: Route): Json {
  const kinds: readonly ProblemKind[] = [...problemsOf(key, route), ...ALWAYS_POSSIBLE];
  const byStatus = Map.groupBy(kinds, (kind) => PROBLEMS[kind].status);
  return Object.fromEntries(
    [...byStatus]
      .toSorted(([a], [b]) => a - b)
      .map(([status, group]) => [
        String(status),
        {
          description: group.map((kind) => `${PROBLEMS[kind].title} (\`${problemType(kind)}\`).`).join(' '),
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      ]),
  );
}
