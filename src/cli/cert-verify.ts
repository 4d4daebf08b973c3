/**
 * What `sallyport cert verify` prints: each chain with each check, the lists and answers that were looked at, the
 * directory's query and what it found, and the verdict. Text from certificates is shown printable. Pure.
 */
import { counted } from '../core/counted.ts';
import type { Verification, VerifiedChain } from '../explain/certificate-verification.io.ts';
import { printable } from '../core/reply.ts';
import { isoTime } from '../core/time-text.ts';
import type { ExplainedAnswer, ExplainedList, ExplainedRevocation } from '../tls/revocation-explanation.ts';
import type { CheckOutcome } from '../tls/path-explanation.ts';
import { renderStage } from './ldaptest.ts';

/** As `trace`: 0 accepted, 1 refused. What is not known now is not accepted. */
export const verificationExitCode = ({ verdict }: Verification): 0 | 1 => (verdict.outcome === 'accepted' ? 0 : 1);

const CONCLUSION = { accepted: 'accepted', refused: 'not accepted', deferred: 'not accepted now' } as const;

export function renderVerification(verification: Verification): string {
  const { profile, revision, atMs, fetchedIssuers, chains, moreChains, verdict } = verification;
  const lines = [
    `Profile ${profile}, revision ${revision}, ${isoTime(atMs)}`,
    ...(fetchedIssuers === 0 ? [] : [`Issuers fetched where the certificates say (AIA): ${fetchedIssuers}`]),
    ...chains.flatMap((chain, i) => chainLines(chain, i)),
    ...(moreChains === 0 ? [] : [`and ${moreChains} more chains that were tried`]),
    ...directoryLines(verification),
    `${CONCLUSION[verdict.outcome]}: ${verdict.says}`,
    `rule: ${verdict.rule}`,
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}

function chainLines({ valid, failure, certificates, policies, revocation }: VerifiedChain, place: number): string[] {
  const head = `Path ${place + 1}, ${counted(certificates.length, 'certificate')}: `;
  return [
    head + (valid ? 'valid by RFC 5280 §6.1' : `not valid: ${failure?.reason}`),
    ...certificates.flatMap(({ place: as, subject, serial, checks }, i) => [
      `  ${i + 1}. ${subject}, serial ${serial} (${as})`,
      ...checks.map(checkLine),
      ...revocationLines(revocation[i]),
    ]),
    '  The path',
    checkLine(policies),
  ];
}

const MARK = { passed: 'ok    ', failed: 'FAILED', 'not-checked': '-     ' } as const;

const checkLine = ({ check, outcome, says, rule }: CheckOutcome): string =>
  `     ${MARK[outcome]} ${check}: ${says}${outcome === 'failed' ? ` (${rule})` : ''}`;

function revocationLines(explained: ExplainedRevocation | undefined): string[] {
  if (explained === undefined) return [];
  const { lists, answer, verdict, says, rule } = explained;
  const mark = verdict === 'good' ? MARK.passed : verdict === 'not-checked' ? MARK['not-checked'] : MARK.failed;
  return [
    ...lists.map(listLine),
    ...(answer === undefined ? [] : [answerLine(answer)]),
    `     ${mark} revocation: ${says}${rule === undefined ? '' : ` (${rule})`}`,
  ];
}

function listLine({ source, issuer, number, base, thisUpdateMs, nextUpdateMs, entries, ...said }: ExplainedList) {
  const facts = [
    counted(entries, 'entry', 'entries'),
    ...(number === undefined ? [] : [`CRL number ${number}`]),
    ...(base === undefined ? [] : [`delta from ${base}`]),
    `thisUpdate ${isoTime(thisUpdateMs)}`,
    nextUpdateMs === undefined ? 'no nextUpdate' : `nextUpdate ${isoTime(nextUpdateMs)}`,
  ];
  return `     list of source ${source} (${issuer}): ${facts.join(', ')}: ${said.verdict}, ${said.says}`;
}

function answerLine({ status, responder, signer, producedAtMs, thisUpdateMs, nextUpdateMs, says }: ExplainedAnswer) {
  if (status === 'none') return `     OCSP: no answer: ${says}`;
  const time = (name: string, ms: number | undefined): string[] => (ms === undefined ? [] : [`${name} ${isoTime(ms)}`]);
  const facts = [
    `signed by ${signer}`,
    ...time('producedAt', producedAtMs),
    ...time('thisUpdate', thisUpdateMs),
    ...time('nextUpdate', nextUpdateMs),
  ];
  return `     OCSP ${responder}: ${status}, ${facts.join(', ')}: ${says}`;
}

function directoryLines({ asked, ldap }: Verification): string[] {
  if (asked === 'nobody') return [];
  const head =
    asked === 'session'
      ? 'Directory:'
      : 'Directory, for information (a session does not ask about such a certificate):';
  if (ldap.length === 0) return ['Directory: not asked'];
  return [head, ...ldap.flatMap((stage) => renderStage(stage).trimEnd().split('\n')).map((line) => `  ${line}`)];
}
