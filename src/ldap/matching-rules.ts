/**
 * How the embedded directory compares values: by the matching rule that the usual schemas give an attribute, and by
 * the look of the values where the attribute is unknown. RFC 4517 §4.2, RFC 4518 (text is compared without case and
 * with single blanks), RFC 4519, RFC 4524. Pure.
 */
import { parseGeneralizedTime } from './generalized-time.ts';

export type Syntax = 'text' | 'exactText' | 'integer' | 'time' | 'name' | 'secret';

/** RFC 4519 and its like give some attributes two names; the first is the one this directory keeps. */
const ALIASES: Readonly<Record<string, string>> = {
  commonname: 'cn',
  surname: 'sn',
  userid: 'uid',
  '0.9.2342.19200300.100.1.1': 'uid',
  rfc822mailbox: 'mail',
  '0.9.2342.19200300.100.1.3': 'mail',
  organizationname: 'o',
  organizationalunitname: 'ou',
  countryname: 'c',
  localityname: 'l',
  stateorprovincename: 'st',
  domaincomponent: 'dc',
  gn: 'givenname',
  '2.5.4.3': 'cn',
  '2.5.4.4': 'sn',
  '2.5.4.0': 'objectclass',
};

const SYNTAX: Readonly<Record<string, Syntax>> = {
  ...of(
    'integer',
    'uidnumber gidnumber shadowlastchange shadowmin shadowmax shadowwarning shadowinactive shadowexpire',
  ),
  ...of('integer', 'useraccountcontrol accountexpires pwdlastset lastlogontimestamp samaccounttype'),
  ...of('time', 'cacemergency createtimestamp modifytimestamp pwdchangedtime pwdaccountlockedtime'),
  ...of('name', 'member uniquemember memberof owner manager secretary seealso roleoccupant aliasedobjectname entrydn'),
  ...of('name', 'distinguishedname creatorsname modifiersname'),
  ...of('exactText', 'homedirectory gecos loginshell memberuid labeleduri'),
  ...of('secret', 'userpassword authpassword sambantpassword sambalmpassword unicodepwd krbprincipalkey userpkcs12'),
};

function of(syntax: Syntax, names: string): Record<string, Syntax> {
  return Object.fromEntries(names.split(' ').map((name) => [name, syntax]));
}

/** Lower case, without options, one name per attribute. */
export function attributeKey(description: string): string {
  const semicolon = description.indexOf(';');
  const name = (semicolon < 0 ? description : description.slice(0, semicolon)).toLowerCase();
  return Object.hasOwn(ALIASES, name) ? (ALIASES[name] ?? name) : name;
}

export const syntaxOf = (key: string): Syntax => (Object.hasOwn(SYNTAX, key) ? (SYNTAX[key] ?? 'text') : 'text');

/** RFC 4518 in short: compatibility form, one case, single blanks, none at the ends. */
export const prepareText = (text: string): string => foldText(text).trim();

export const foldText = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\u00ad\u200b\ufeff]/g, '')
    .replace(/\s+/g, ' ');

const INTEGER = /^-?\d{1,40}$/;

/** -1, 0 or 1; undefined where the two cannot be ordered by the attribute's rule. */
export function compareOrder(syntax: Syntax, stored: string, asserted: string): number | undefined {
  if (syntax === 'name' || syntax === 'secret') return undefined;
  const times = [parseGeneralizedTime(stored), parseGeneralizedTime(asserted)] as const;
  if (times[0] !== undefined && times[1] !== undefined) return Math.sign(times[0] - times[1]);
  if (syntax === 'time') return undefined;
  if (INTEGER.test(stored) && INTEGER.test(asserted)) return sign(BigInt(stored), BigInt(asserted));
  if (syntax === 'integer') return undefined;
  return syntax === 'exactText' ? sign(stored, asserted) : sign(prepareText(stored), prepareText(asserted));
}

const sign = <T extends bigint | string>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * What equal values have in common; undefined where the text is no value of the syntax, so that a question about it
 * has no answer (RFC 4511 §4.5.1.7). Names are compared by `distinguished-name.ts`.
 */
export function equalityKey(syntax: Syntax, text: string): string | undefined {
  switch (syntax) {
    case 'integer':
      return INTEGER.test(text) ? String(BigInt(text)) : undefined;
    case 'time':
      return parseGeneralizedTime(text)?.toString();
    case 'exactText':
      return text.normalize('NFKC').trim().replace(/\s+/g, ' ');
    case 'text':
    case 'name':
      return prepareText(text);
    case 'secret':
      return undefined;
  }
}
