/**
 * The gateway's own OpenAPI document as a judge of its answers: an answer whose status is not documented, whose content
 * type is another one, or whose body does not fit its schema is a failure. The validator is somebody else's (Ajv).
 * Effects: none.
 */
import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';

type Schema = Record<string, unknown>;
type Answer = { readonly description: string; readonly content?: Record<string, { readonly schema?: Schema }> };
type Operation = {
  readonly operationId: string;
  readonly 'x-least-role'?: string;
  readonly responses: Record<string, Answer>;
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> };
};
type Document = {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
};

export type Answered = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

const PROBLEM = 'application/problem+json';
const KIND = /urn:sallyport:problem:([a-z-]+)/g;

export class ApiDescription {
  readonly document: Document;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, formats: { base64: true } });

  constructor(text: string) {
    this.document = JSON.parse(text) as Document;
    this.#ajv.addSchema({ $id: 'api', components: this.document.components });
  }

  /** `GET /api/status`, as the document has them. */
  get keys(): string[] {
    return Object.entries(this.document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  operation(key: string): Operation {
    const [method = '', path = ''] = key.split(' ');
    const operation = this.document.paths[path]?.[method.toLowerCase()];
    assert.ok(operation !== undefined, `${key} is not in the OpenAPI document`);
    return operation;
  }

  /** Kinds of problems that the document names for a route, with their status. */
  problems(key: string): [kind: string, status: number][] {
    return Object.entries(this.operation(key).responses).flatMap(([status, { description }]) =>
      [...description.matchAll(KIND)].map(([, kind = '']): [string, number] => [kind, Number(status)]),
    );
  }

  goodStatus(key: string): number {
    const good = Object.keys(this.operation(key).responses).filter((status) => status.startsWith('2'));
    assert.equal(good.length, 1, `${key} has one good status`);
    return Number(good[0]);
  }

  /** Fails where the answer is not one that the document promises. */
  check(key: string, { status, headers, text }: Answered): void {
    const answer = this.operation(key).responses[String(status)];
    assert.ok(answer !== undefined, `${key} answered ${status}, which is not documented: ${text}`);
    const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
    if (answer.content === undefined) {
      assert.equal(text, '', `${key} ${status} has a body`);
      return;
    }
    const content = answer.content[type];
    assert.ok(content !== undefined, `${key} ${status} has the content type ${type}`);
    if (content.schema === undefined) return;
    const body: unknown = JSON.parse(text);
    const validate = this.#ajv.compile(this.#whole(content.schema));
    assert.ok(validate(body), `${key} ${status}: ${this.#ajv.errorsText(validate.errors)}: ${text.slice(0, 500)}`);
    if (type !== PROBLEM) return;
    const kind = String((body as { type: string }).type).replace('urn:sallyport:problem:', '');
    const documented = this.problems(key).filter(([, at]) => at === status);
    assert.ok(
      documented.some(([each]) => each === kind),
      `${key} ${status}: the problem ${kind} is not documented`,
    );
  }

  /** Fails where a request that the gateway took is not one that the document describes. */
  checkRequest(key: string, body: unknown): void {
    const schema = this.operation(key).requestBody?.content['application/json']?.schema;
    assert.ok(schema !== undefined || body === undefined, `${key} took a body, and the document knows of none`);
    if (schema === undefined) return;
    const validate = this.#ajv.compile(this.#whole(schema));
    assert.ok(validate(body), `${key} took a body that does not fit: ${this.#ajv.errorsText(validate.errors)}`);
  }

  /** References lead to the document that holds the components. */
  #whole(schema: Schema): Schema {
    return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/')) as Schema;
  }
}
