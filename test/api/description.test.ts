/** The OpenAPI document itself, as other people's tools read it. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Route } from '../../src/admin/route.ts';
import { ROUTE_KEYS, ROUTES } from '../../src/admin/routes.ts';
import { ApiSite } from '../support/api-site.ts';

let api: ApiSite;
before(async () => {
  api = await ApiSite.open();
});

test('it is a valid OpenAPI 3.1 document', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(api.description.document));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, '3.1');
});

test('it names every route once, each with an operation of its own', () => {
  const { keys } = api.description;
  assert.ok(keys.length >= 20);
  assert.deepEqual(keys.toSorted(), ROUTE_KEYS.toSorted());
  assert.equal(new Set(keys.map((key) => api.description.operation(key).operationId)).size, keys.length);
});

test('a path that nobody knows answers 404, a method that nobody knows 405 and says which there are', async () => {
  const person = await api.person('administrator');
  const nowhere = await api.tls('GET /api/nowhere', { token: person.token });
  assert.deepEqual([nowhere.status, nowhere.kind], [404, 'not-found']);
  const wrong = await api.tls('PUT /api/status', { token: person.token });
  assert.deepEqual([wrong.status, wrong.kind, wrong.headers['allow']], [405, 'method-not-allowed', 'GET']);
  const broken = await api.tls('GET /api/accounts/%zz', { token: person.token });
  assert.equal(broken.status, 404);
});

test('every answer forbids to be stored, framed, sniffed or sent in the clear', async () => {
  for (const { headers } of [await api.tls('GET /api/status'), await api.tls('GET /api/openapi.json')]) {
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.match(String(headers['content-security-policy']), /default-src 'none'/);
    assert.match(String(headers['strict-transport-security']), /max-age=31536000/);
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
});

test('what the audit record keeps of a request is never what somebody signs in with', () => {
  const kept = ROUTE_KEYS.flatMap((key) => {
    const route: Route = ROUTES[key];
    return route.recorded ?? [];
  });
  assert.ok(kept.length >= 10);
  for (const name of kept) assert.doesNotMatch(name, /pass|secret$|current|token|pem|response|document|edits/i);
});
