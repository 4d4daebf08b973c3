import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Filter, renderFilter } from './filter.ts';
import { FilterSyntaxError, parseFilter } from './filter-parser.ts';
import { bindTemplate, parseTemplate } from './filter-template.ts';

/** The normal form of a template without tokens. */
const normal = (text: string): string => {
  const bound = bindTemplate(parseTemplate(text), () => undefined);
  assert.ok(bound.ok);
  return renderFilter(bound.filter);
};

describe('filters that are accepted', () => {
  const rows: readonly [title: string, text: string, expected?: string][] = [
    ['equality', '(uid=alice)'],
    ['presence', '(caccn=*)'],
    ['presence with blanks around the asterisk', '(caccn= * )', '(caccn=*)'],
    ['greater or equal, less or equal, approximate', '(&(a>=1)(b<=2)(c~=three))'],
    ['substrings', '(cn=a*b*c)'],
    ['substrings without ends', '(cn=*b*)'],
    ['doubled asterisks', '(cn=a**c)', '(cn=a*c)'],
    ['an empty value', '(cn=)'],
    ['nested AND, OR, NOT', '(&(a=1)(|(b=2)(!(c=3))))'],
    ['AND and OR without operands', '(|(&)(|))'],
    [
      'the vendor’s example with its blanks',
      '(&(objectClass=posixAccount)(uid=x)(|(! (caccn=*)) (cacexempt=*) (cacemergency>=20261122013000Z)))',
      '(&(objectClass=posixAccount)(uid=x)(|(!(caccn=*))(cacexempt=*)(cacemergency>=20261122013000Z)))',
    ],
    ['blanks and line ends everywhere between', ' ( & \n ( a=1) \t( ! ( b=2 )  ) ) ', '(&(a=1)(!(b=2 )))'],
    ['attribute options and OIDs', '(&(cn;lang-en=x)(2.5.4.3=y))'],
    ['a matching rule', '(cn:caseExactMatch:=Alice)'],
    ['a matching rule with names', '(ou:dn:2.4.6.8.10:=Sales)'],
    ['names alone', '(o:dn:=Ace)'],
    ['a rule without attribute', '(:dn:2.4.6.8.10:=Dino)'],
    ['escaped octets', '(cn=\\28a\\29\\2a\\5c\\00)'],
    ['escapes that need none', '(cn=\\61)', '(cn=a)'],
    ['octets that are no text', '(photo=\\ff\\d8)'],
    ['octets of one character in two runs', '(cn=\\c3\\9f)', '(cn=ß)'],
    ['an escaped brace', '(cn=\\7bu})', '(cn={u})'],
  ];
  for (const [title, text, expected = text] of rows)
    test(`${title}: ${text}`, () => assert.equal(normal(text), expected));
});

describe('filters that are refused, with the place', () => {
  const rows: readonly [text: string, offset: number, message: RegExp][] = [
    ['', 0, /begins with "\("/],
    ['uid=alice', 0, /begins with "\("/],
    ['(uid=alice', 0, /never closed/],
    ['(&(a=b)', 0, /never closed/],
    ['(uid=alice))', 11, /closes nothing/],
    ['(uid=alice)(uid=bob)', 11, /nothing may follow/],
    ['(!(caccn=*)(cacexempt=*)(cacemergency>={t}))', 0, /NOT \(!\) needs exactly one filter and has 3/],
    ['(&(a=1)(!))', 7, /has 0/],
    ['(uid)', 4, /"=", ">=", "<=", "~=" or ":=" is expected/],
    ['(=x)', 1, /attribute name is missing/],
    ['()', 1, /attribute name, "&", "\|" or "!"/],
    ['(a>1)', 2, /only ">=" exists/],
    ['(a>=1*)', 5, /"\*" is only allowed after "="/],
    ['(a=b(c)', 4, /"\(" is not allowed in a value/],
    ['(a=\\4)', 3, /two hexadecimal digits/],
    ['(a=b\\)', 4, /two hexadecimal digits/],
    ['(a={u)', 3, /begins a token/],
    ['({u}=a)', 1, /attribute name/],
    ['(a=\u0000)', 3, /NUL/],
    ['(cn:a:b:=x)', 3, /only one matching rule/],
    ['(cn:caseExactMatch=x)', 18, /needs ":="/],
    ['(&(a=1) x (b=2))', 8, /"x" is not allowed here/],
    ['('.repeat(200), 1, /attribute name/],
    [`${'(!'.repeat(60)}(a=1)${')'.repeat(60)}`, 102, /nested deeper/],
    [`(a=${'x'.repeat(8000)})`, 0, /at most 8000/],
  ];
  for (const [text, offset, message] of rows) {
    test(`${JSON.stringify(text.slice(0, 50))}: ${message.source}`, () => {
      assert.throws(
        () => parseFilter(text),
        (error) => error instanceof FilterSyntaxError && error.offset === offset && message.test(error.message),
      );
    });
  }
});

const attribute = fc.constantFrom('cn', 'uid', 'caccn', '2.5.4.3', 'cn;lang-de');
const value = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.constantFrom('*', '(', ')', '\\', '\u0000', '{u}', ')(uid=*', '\\2a', ' ', 'ß'),
  fc.constantFrom(Uint8Array.of(0xff), Uint8Array.of(0xc3, 0x28)),
);
const nonEmpty = value.filter((each) => each.length > 0);
const part = fc.option(nonEmpty, { nil: undefined });

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.record({
      kind: fc.constantFrom('equal', 'greaterOrEqual', 'lessOrEqual', 'approximate'),
      attribute,
      value,
    }) as fc.Arbitrary<Filter>,
    fc.record({ kind: fc.constant('present' as const), attribute }),
    fc
      .record({
        kind: fc.constant('substrings' as const),
        attribute,
        initial: part,
        any: fc.array(nonEmpty, { maxLength: 3 }),
        final: part,
      })
      .filter(({ initial, any, final }) =>
        [initial, ...any, final].some(
          (each) => each !== undefined && (typeof each !== 'string' || /[^ \t\r\n]/.test(each)),
        ),
      ),
    fc.record({
      kind: fc.constant('extensible' as const),
      attribute,
      rule: fc.constantFrom('caseExactMatch', '1.2.3', undefined),
      dnAttributes: fc.boolean(),
      value,
    }),
    fc.record({
      kind: fc.constantFrom('and', 'or'),
      of: fc.array(tie('filter'), { maxLength: 3 }),
    }) as fc.Arbitrary<Filter>,
    fc.record({ kind: fc.constant('not' as const), of: tie('filter') }),
  ),
}));

describe('properties', () => {
  test('what is rendered parses to the same filter', () => {
    fc.assert(
      fc.property(filter, (tree) => {
        const text = renderFilter(tree).replaceAll('{', '\\7b');
        const bound = bindTemplate(parseTemplate(text), () => undefined);
        assert.ok(bound.ok);
        assert.equal(renderFilter(bound.filter), renderFilter(tree));
      }),
      { numRuns: 500 },
    );
  });

  test('no text makes the parser throw anything but a syntax error within the text', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('(', ')', '&', '|', '!', '=', '*', '\\', '{', '}', 'a', 'u', ':', ' ', '2') }),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        try {
          parseFilter(candidate);
        } catch (error) {
          assert.ok(error instanceof FilterSyntaxError && error.offset >= 0 && error.offset <= candidate.length);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
