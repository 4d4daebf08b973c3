import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renderReply } from '../core/reply.ts';
import { type AuthFacts, decideAuth, refuseAuth, refuseCredentials } from './smtp-auth-verdict.ts';

const OPEN: AuthFacts = {
  smtpAuth: 'required',
  requireTls: false,
  tlsActive: false,
  passwordProfile: true,
  identity: 'none',
  authenticated: false,
  inTransaction: false,
  mechanism: 'PLAIN',
};
const RESPONSE = { code: 525, text: 'Dear user, please use your CAC to send email.' };

describe('may an AUTH command start', () => {
  const rows: readonly [string, Partial<AuthFacts>, string | undefined][] = [
    ['PLAIN on a listener that checks passwords may start', {}, undefined],
    ['LOGIN too', { mechanism: 'LOGIN' }, undefined],
    ['smtpAuth off answers 503', { smtpAuth: 'off' }, '503 5.5.1'],
    ['a profile that cannot check a password answers 503', { passwordProfile: false }, '503 5.5.1'],
    ['outside TLS where TLS is required for AUTH: 538', { requireTls: true }, '538 5.7.11'],
    ['inside TLS where TLS is required for AUTH it may start', { requireTls: true, tlsActive: true }, undefined],
    ['with a certificate identity PLAIN answers 503', { identity: 'certificate' }, '503 5.5.1'],
    ['with a certificate identity EXTERNAL may start', { identity: 'certificate', mechanism: 'EXTERNAL' }, undefined],
    ['EXTERNAL without a certificate identity: 504', { mechanism: 'EXTERNAL' }, '504 5.5.4'],
    ['an unknown mechanism: 504', { mechanism: 'CRAM-MD5' }, '504 5.5.4'],
    ['a second AUTH after a successful one: 503', { authenticated: true, identity: 'password' }, '503 5.5.1'],
    ['AUTH in a mail transaction: 503', { inTransaction: true }, '503 5.5.1'],
  ];
  for (const [title, facts, expected] of rows) {
    test(title, () => {
      const reply = refuseAuth({ ...OPEN, ...facts });
      assert.equal(reply && `${reply.code} ${reply.status}`, expected);
    });
  }
});

describe('what the directory’s answer means', () => {
  test('right password without checkAllowed succeeds whatever the allowance says', () => {
    assert.equal(decideAuth({ kind: 'accepted', allowed: false }, 'p', undefined).kind, 'success');
  });
  test('not allowed, action reject: code and text exactly as configured', () => {
    const verdict = decideAuth({ kind: 'accepted', allowed: false }, 'p', { action: 'reject', response: RESPONSE });
    assert.equal(verdict.kind, 'not-allowed');
    assert.equal(renderReply(verdict.reply), '525 Dear user, please use your CAC to send email.\r\n');
  });
  test('not allowed, action monitor: 235, and told apart from success', () => {
    const verdict = decideAuth({ kind: 'accepted', allowed: false }, 'p', { action: 'monitor' });
    assert.equal(verdict.kind, 'monitored');
    assert.equal(verdict.reply.code, 235);
  });
  test('a directory that cannot be asked answers 454, never 535', () => {
    assert.equal(decideAuth({ kind: 'unavailable', why: 'time limit' }, 'p', undefined).reply.code, 454);
  });
  test('a wrong password answers 535 5.7.8', () => {
    const { reply } = decideAuth({ kind: 'wrong', why: 'no entry' }, 'p', undefined);
    assert.equal(renderReply(reply).slice(0, 9), '535 5.7.8');
  });
});

describe('credentials that need no directory', () => {
  test('an empty password is wrong before the directory is asked', () => {
    assert.equal(refuseCredentials({ authzid: '', login: 'bob', password: '' })?.kind, 'wrong');
  });
  test('nobody may act for another', () => {
    assert.equal(refuseCredentials({ authzid: 'alice', login: 'bob', password: 'x' })?.kind, 'wrong');
    assert.equal(refuseCredentials({ authzid: 'bob', login: 'bob', password: 'x' }), undefined);
  });
});
