import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Filter, type FilterNode, renderFilter } from './filter.ts';
import { parseFilter } from './filter-parser.ts';
import { bindTemplate, parseTemplate } from './filter-template.ts';

type Fields = Readonly<Record<string, readonly string[]>>;

const bind = (text: string, fields: Fields): string => {
  const bound = bindTemplate(parseTemplate(text), (token) => fields[token]);
  return bound.ok ? renderFilter(bound.filter) : `missing ${bound.missing}: ${bound.why}`;
};

describe('tokens get their values', () => {
  const rows: readonly [title: string, text: string, fields: Fields, expected: string][] = [
    ['a value', '(uid={u})', { u: ['alice'] }, '(uid=alice)'],
    ['text around a token', '(proxyAddresses=smtp:{a})', { a: ['a@x.org'] }, '(proxyAddresses=smtp:a@x.org)'],
    ['a token in a substring', '(cn=*{u}*)', { u: ['al'] }, '(cn=*al*)'],
    ['several tokens in one value', '(x={issuer}/{sn})', { issuer: ['CN=A'], sn: ['01'] }, '(x=CN=A/01)'],
    ['a token after octets', '(x=\\ff{u})', { u: ['a'] }, '(x=\\ff\\61)'],
    ['a token with a colon', '(x={sn:dec})', { 'sn:dec': ['7'] }, '(x=7)'],
    ['no tokens at all', '(uid=alice)', {}, '(uid=alice)'],
    [
      'parentheses, asterisk, backslash and control characters',
      '(uid={u})',
      { u: ['*()\\\n'] },
      '(uid=\\2a\\28\\29\\5c\\0a)',
    ],
    ['a value that looks like a token', '(uid={u})', { u: ['{t}'] }, '(uid={t})'],
    ['several values: any of them', '(ou={ou})', { ou: ['a', 'b'] }, '(|(ou=a)(ou=b))'],
    ['several values below NOT: none of them', '(!(ou={ou}))', { ou: ['a', 'b'] }, '(!(|(ou=a)(ou=b)))'],
    ['the same token twice in one assertion', '(x={ou}-{ou})', { ou: ['a', 'b'] }, '(|(x=a-a)(x=b-b))'],
    [
      'two tokens of several values',
      '(x={ou}-{o})',
      { ou: ['a', 'b'], o: ['c', 'd'] },
      '(|(x=a-c)(x=a-d)(x=b-c)(x=b-d))',
    ],
    ['the same value twice counts once', '(ou={ou})', { ou: ['a', 'a'] }, '(ou=a)'],
    ['a missing field: nothing is sent', '(&(cn={cn})(x={upn}))', { cn: ['a'] }, 'missing upn: there is no {upn}'],
    ['a missing field below NOT: nothing is sent', '(!(x={upn}))', {}, 'missing upn: there is no {upn}'],
    ['an empty value is none', '(cn=*{u}*)', { u: [''] }, 'missing u: there is no {u}'],
    ['blanks alone are none', '(cn=*{u}*)', { u: [' \t'] }, 'missing u: there is no {u}'],
    ['a value with NUL is none', '(cn={cn})', { cn: ['alice\u0000.evil'] }, 'missing cn: there is no {cn}'],
    ['half a surrogate pair is none', '(cn={cn})', { cn: ['\ud800'] }, 'missing cn: there is no {cn}'],
    ['a value beyond all measure is none', '(cn={cn})', { cn: ['x'.repeat(8001)] }, 'missing cn: there is no {cn}'],
  ];
  for (const [title, text, fields, expected] of rows) test(title, () => assert.equal(bind(text, fields), expected));

  test('sixteen values match, seventeen do not', () => {
    const values = Array.from({ length: 17 }, (_, i) => `v${i}`);
    assert.match(bind('(ou={ou})', { ou: values.slice(1) }), /^\(\|(\(ou=v\d+\)){16}\)$/);
    assert.match(bind('(ou={ou})', { ou: values }), /^missing ou: there are more than 16/);
  });
  test('three tokens of sixteen values each in one assertion are too many', () => {
    const many = Array.from({ length: 16 }, (_, i) => `v${i}`);
    assert.match(bind('(x={ou}{o}{l})', { ou: many, o: many, l: many }), /^missing ou: the tokens of one assertion/);
  });
});

/** The tree without its values. */
function shape<V>(node: FilterNode<V>): unknown {
  switch (node.kind) {
    case 'and':
    case 'or':
      return [node.kind, ...node.of.map(shape)];
    case 'not':
      return ['not', shape(node.of)];
    case 'present':
      return ['present', node.attribute];
    case 'substrings':
      return ['substrings', node.attribute, node.initial !== undefined, node.any.length, node.final !== undefined];
    default:
      return [node.kind, node.attribute];
  }
}

/** The rendered text read again by the same grammar, with braces escaped, must have the shape of the template. */
const reread = (filter: Filter): unknown => shape(parseFilter(renderFilter(filter).replaceAll('{', '\\7b')));

test('no value can change the shape of a filter', () => {
  const template = parseTemplate(
    '(&(uid={u})(|(!(caccn={u}))(cn=a*{u}*b)(mail={u}@x)(x>={u})(y:dn:caseExactMatch:={u})))',
  );
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('(', ')', '*', '\\', '|', '&', '!', '=', '\u0000', '2', 'a', '{', 'u', '}') }),
  );
  fc.assert(
    fc.property(value, (u) => {
      const bound = bindTemplate(template, () => [u]);
      if (!bound.ok) return;
      assert.deepEqual(shape(bound.filter), shape(template.node));
      assert.deepEqual(reread(bound.filter), shape(template.node));
    }),
    { numRuns: 1000 },
  );
});
