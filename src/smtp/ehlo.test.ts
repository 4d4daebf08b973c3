/** The keywords of EHLO: the contract's rules for STARTTLS and AUTH, row by row. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EhloFacts, ehloKeywords } from './ehlo.ts';

const FACTS: EhloFacts = {
  tls: 'preferred',
  tlsActive: true,
  smtpAuth: 'required',
  requireTlsToOfferSmtpAuth: true,
  passwordProfile: true,
  identity: 'none',
  maxMessageBytes: 10_485_760,
};

const ROWS: readonly (readonly [
  title: string,
  facts: Partial<EhloFacts>,
  auth: string | undefined,
  startTls: boolean,
])[] = [
  ['within TLS a password profile offers PLAIN and LOGIN', {}, 'AUTH PLAIN LOGIN', false],
  ['SMTP AUTH preferred offers the same', { smtpAuth: 'preferred' }, 'AUTH PLAIN LOGIN', false],
  ['SMTP AUTH off offers nothing', { smtpAuth: 'off' }, undefined, false],
  ['a profile that checks no passwords offers nothing', { passwordProfile: false }, undefined, false],
  ['a certificate identity is offered EXTERNAL alone', { identity: 'certificate' }, 'AUTH EXTERNAL', false],
  ['so it is without a password profile', { identity: 'certificate', passwordProfile: false }, 'AUTH EXTERNAL', false],
  ['but not where SMTP AUTH is off', { identity: 'certificate', smtpAuth: 'off' }, undefined, false],
  ['after a password nothing more is offered', { identity: 'password' }, undefined, false],
  ['before TLS nothing is offered where TLS is required for AUTH', { tlsActive: false }, undefined, true],
  [
    'before TLS AUTH is offered where it is not',
    { tlsActive: false, requireTlsToOfferSmtpAuth: false },
    'AUTH PLAIN LOGIN',
    true,
  ],
  [
    'before TLS that is required AUTH would get 530 and is not offered',
    { tlsActive: false, requireTlsToOfferSmtpAuth: false, tls: 'required' },
    undefined,
    true,
  ],
  [
    'with TLS off there is no STARTTLS',
    { tls: 'off', tlsActive: false, requireTlsToOfferSmtpAuth: false },
    'AUTH PLAIN LOGIN',
    false,
  ],
];

for (const [title, facts, auth, startTls] of ROWS) {
  test(title, () => {
    const keywords = ehloKeywords({ ...FACTS, ...facts });
    assert.equal(
      keywords.find((keyword) => keyword.startsWith('AUTH')),
      auth,
    );
    assert.equal(keywords.includes('STARTTLS'), startTls);
  });
}

test('the extensions that every session has', () => {
  assert.deepEqual(ehloKeywords({ ...FACTS, smtpAuth: 'off' }), [
    'PIPELINING',
    'SIZE 10485760',
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'CHUNKING',
    'DSN',
  ]);
});
