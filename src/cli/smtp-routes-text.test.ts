/** SMTP routes in AsyncOS's text format. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRoutes, routesText } from './smtp-routes-text.ts';

test('what was written is read again', () => {
  const routes = {
    ALL: ['USEDNS'],
    'example.com': ['relay.example.com:26', '[192.0.2.1]'],
    '.example.org': ['/dev/null'],
  };
  assert.deepEqual(parseRoutes(routesText(routes)), { ok: true, routes });
});

for (const [text, why] of [
  ['# nothing\n', 'there is no route'],
  ['example.com\n', 'line 1: a route is written DOMAIN: HOST, HOST'],
  ['\nexample.com:\n', 'line 2: a route needs a destination host'],
  ['user@example.com: relay\n', 'line 1: a key is ALL, example.com or .example.com'],
  ['example.com: two words\n', 'line 1: 0: a route host is name, name:port, [address]:port, USEDNS or /dev/null'],
  ['a.example: x\na.example: y\n', 'line 2: a.example is there already'],
] as const) {
  test(`${JSON.stringify(text)} is refused: ${why}`, () => assert.deepEqual(parseRoutes(text), { ok: false, why }));
}
