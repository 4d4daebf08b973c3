/**
 * The three recipes as they stand (only ports are replaced), with OpenLDAP behind them, for all six people: who gets in by
 * card, who by password, and what the others read.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { Gateway } from '../support/gateway.ts';
import type { Person } from '../support/pki.ts';
import { Site } from '../support/site.ts';
import { Slapd } from '../support/slapd.ts';
import { SmtpSession } from '../support/smtp-session.ts';

const PEOPLE = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'] as const satisfies readonly Person[];
const RECIPES = ['recipe-a-certificate', 'recipe-b-smtp-auth', 'recipe-c-either'] as const;
type Recipe = (typeof RECIPES)[number];

let site: Site;
let slapd: Slapd;
const ports: Record<Recipe, number> = { 'recipe-a-certificate': 0, 'recipe-b-smtp-auth': 0, 'recipe-c-either': 0 };

before(async () => {
  site = await Site.open();
  slapd = await Slapd.start();
  for (const name of RECIPES) {
    ports[name] = await freePort();
    await Gateway.start({ config: site.recipe(name, { smtp: ports[name], ldap: slapd.port }), folder: site.copy() });
  }
});

async function enter(recipe: Recipe, person?: Person): Promise<SmtpSession> {
  const session = await SmtpSession.open({ port: ports[recipe] });
  await session.startTls({ ca: site.pki.serverCa, ...(person === undefined ? {} : site.pki.card(person)) });
  return session;
}

async function sends(session: SmtpSession, person: Person, subject: string): Promise<void> {
  const reply = await session.send({ from: `${person}@example.test`, text: `Subject: ${subject}\r\n\r\nhello\r\n` });
  assert.match(reply.text, /^250 2\.0\.0 .*queued as MID \d+/, session.talk());
  await site.nextHop.messageWith(`Subject: ${subject}`);
}

/** Cards that the directory knows and that are not revoked. */
const GOOD_CARDS: readonly string[] = ['alice', 'carol', 'dave', 'erin'];
/** The allowance: no card issued, exempt, or an emergency permission that still runs. */
const ALLOWED_PASSWORD: readonly string[] = ['bob', 'carol', 'dave'];

for (const person of PEOPLE) {
  test(`recipe A: ${person} with a card`, async () => {
    const session = await enter('recipe-a-certificate', person);
    if (GOOD_CARDS.includes(person)) {
      assert.equal((await session.ehlo()).get('AUTH'), 'EXTERNAL');
      await sends(session, person, `A-${person}`);
    } else {
      const reply = await session.expect('EHLO client.example.test', '554 5.7.1');
      assert.match(reply.text, person === 'frank' ? /client certificate revoked/ : /client certificate/);
    }
    await session.quit();
  });

  test(`recipe A: ${person} with a password`, async () => {
    const session = await enter('recipe-a-certificate');
    assert.match(
      (await session.authPlain(person, `${person}-secret`)).text,
      /^554 5\.7\.1 .*client certificate required/,
    );
    await session.quit();
  });

  test(`recipe B: ${person} with a password`, async () => {
    const session = await enter('recipe-b-smtp-auth');
    assert.equal((await session.ehlo()).get('AUTH'), 'PLAIN LOGIN');
    await session.expect(`MAIL FROM:<${person}@example.test>`, '530 5.7.0');
    assert.match((await session.authPlain(person, 'wrong')).text, /^535 5\.7\.8/);
    assert.match((await session.authPlain(person, `${person}-secret`)).text, /^235 2\.7\.0/);
    await sends(session, person, `B-${person}`);
    await session.quit();
  });

  test(`recipe C: ${person} with a card`, async () => {
    const session = await enter('recipe-c-either', person);
    const good = GOOD_CARDS.includes(person);
    assert.equal((await session.ehlo()).get('AUTH'), good ? 'EXTERNAL' : 'PLAIN LOGIN');
    if (good) await sends(session, person, `C-card-${person}`);
    else await session.expect(`MAIL FROM:<${person}@example.test>`, '530 5.7.0');
    await session.quit();
  });

  test(`recipe C: ${person} with a password`, async () => {
    const session = await enter('recipe-c-either');
    await session.expect('EHLO client.example.test', '250');
    const reply = await session.authPlain(person, `${person}-secret`);
    if (ALLOWED_PASSWORD.includes(person)) {
      assert.match(reply.text, /^235 2\.7\.0/);
      await sends(session, person, `C-password-${person}`);
    } else {
      assert.equal(reply.text, '525 Dear user, please use your CAC to send email.');
    }
    await session.quit();
  });
}

test('the directory goes away and comes back: 454 at MAIL FROM and AUTH, and the same session goes on', async () => {
  // erin's card is in no cache if nobody asked for it; a gateway of its own makes sure.
  const port = await freePort();
  const gateway = await Gateway.start({
    config: site.recipe('recipe-c-either', { smtp: port, ldap: slapd.port }),
    folder: site.copy(),
  });
  await slapd.stop();
  const session = await SmtpSession.open({ port });
  await session.startTls(site.pki.card('alice'));
  await session.expect('EHLO client.example.test', '250');
  await session.expect('MAIL FROM:<alice@example.test>', '454 4.7.0');
  assert.match((await session.authPlain('bob', 'bob-secret')).text, /^454 4\.7\.0/);
  await slapd.restart();
  // A hold time after a failure is allowed; giving a wrong answer is not.
  const reply = await eventually(async () => {
    await session.expect('NOOP', '250');
    const answer = await session.command('MAIL FROM:<alice@example.test>');
    assert.notEqual(answer.code, 454);
    return answer;
  });
  assert.equal(reply.code, 250, session.talk().slice(-2000));
  await session.expect('RCPT TO:<someone@elsewhere.example>', '250');
  await session.quit();
  await gateway.stop();
});

test("the gateway's own bind refused is 454, never 535", async () => {
  const port = await freePort();
  const config = site
    .recipe('recipe-c-either', { smtp: port, ldap: slapd.port })
    .replace('passwordFile: secrets/ldap', 'password: wrong');
  const gateway = await Gateway.start({ config, folder: site.copy() });
  const session = await SmtpSession.open({ port });
  await session.startTls();
  await session.expect('EHLO client.example.test', '250');
  assert.match((await session.authPlain('bob', 'bob-secret')).text, /^454 4\.7\.0/);
  await session.quit();
  await gateway.stop();
});
