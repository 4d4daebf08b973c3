/**
 * Ways around a password: an empty one is an anonymous bind that "succeeds" (RFC 4513 §5.1.2), an authorization identity is
 * taken for the user (nodemailer/smtp-server#261), and different replies tell which users exist.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Site } from '../support/site.ts';
import { SmtpSession } from '../support/smtp-session.ts';

let site: Site;
let port: number;
before(async () => {
  site = await Site.open();
  port = (await site.startOne({ profile: 'password-only', policy: { smtpAuth: 'required' } })).port;
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const REFUSED: readonly (readonly [title: string, response: string, expected: RegExp])[] = [
  ['an empty password', '\0bob\0', /^535 5\.7\.8/],
  ['an empty login', '\0\0bob-secret', /^5(01|35) /],
  ['nothing at all', '\0\0', /^5(01|35) /],
  ['a password of blanks', '\0bob\0   ', /^535 5\.7\.8/],
  ['somebody else as authorization identity', 'alice\0bob\0bob-secret', /^535 5\.7\.8/],
  ['the administrator as authorization identity', 'cn=gateway,dc=example,dc=test\0bob\0bob-secret', /^535 5\.7\.8/],
  ['a fourth field', '\0bob\0bob-secret\0x', /^5(01|35) /],
  ['one field', 'bob', /^501 5\.5\.2/],
  ['the DN as login', '\0uid=bob,ou=people,dc=example,dc=test\0bob-secret', /^535 5\.7\.8/],
  ['the gateway account', '\0gateway\0gateway-secret', /^535 5\.7\.8/],
  ['a password in other letters', '\0bob\0BOB-SECRET', /^535 5\.7\.8/],
  ['a password with a line end', '\0bob\0bob-secret\r\n', /^5(01|35) /],
];

for (const [title, response, expected] of REFUSED) {
  test(`${title} lets nobody in`, async () => {
    const session = await SmtpSession.open({ port });
    assert.match((await session.command(`AUTH PLAIN ${base64(response)}`)).text, expected, session.talk());
    await session.expect('MAIL FROM:<bob@example.test>', '530 5.7.0');
    await session.quit();
  });
}

test('an unknown user, a wrong password and two entries get the same words', async () => {
  const session = await SmtpSession.open({ port });
  const replies = [];
  for (const [user, password] of [
    ['nobody', 'x'],
    ['bob', 'x'],
    ['twin', 'twin-secret'],
  ] as const)
    replies.push((await session.authPlain(user, password)).text);
  assert.equal(new Set(replies).size, 1, replies.join('\n'));
  await session.quit();
});

test('the own name as authorization identity is no trick', async () => {
  const session = await SmtpSession.open({ port });
  assert.match((await session.authPlain('bob', 'bob-secret', 'bob')).text, /^235/);
  await session.quit();
});

test('an authorization identity of somebody else with AUTH EXTERNAL lets nobody in', async () => {
  const { port: certificate } = await site.startOne({
    profile: 'cac',
    policy: { tls: 'required', smtpAuth: 'required' },
  });
  const session = await SmtpSession.open({ port: certificate });
  await session.startTls(site.pki.card('alice'));
  await session.ehlo();
  await session.expect(`AUTH EXTERNAL ${base64('bob')}`, '535 5.7.8');
  await session.expect(`AUTH EXTERNAL ${base64('alice\0bob')}`, '5');
  await session.quit();
});

test('twenty wrong passwords end the session', async () => {
  const session = await SmtpSession.open({ port });
  let last = 535;
  for (let i = 0; i < 60 && last === 535; i++) last = (await session.authPlain('bob', `wrong-${i}`)).code;
  assert.equal(last, 421);
  await session.closed();
});
