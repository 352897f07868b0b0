import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SignedQuery, splitUrl } from './signed-query.js';

/** The pairs by way of the standard, keys in lower case. */
const standard = (query: string) => [...new URLSearchParams(query)].map(([key, value]) => [key.toLowerCase(), value]);

describe('The parameters of a signed request', () => {
  it.each([
    '',
    'auth_key=k&auth_timestamp=1&auth_version=1.0&body_md5=m&auth_signature=s',
    'a',
    'a=',
    '=a',
    '=',
    'a=b=c',
    '&&a=1&&b=2&',
    'A=1&a=2',
    '?a=1',
    '??a=1',
    'a=?',
    'a+b=c+d',
    'a%3Db=%26&%zz=%',
    'a=%ff&b=%C3%A9',
    'é=ÿ',
    '__proto__=1',
  ])('are those of the standard in %j', (query) => {
    expect(new SignedQuery(query).pairs).toEqual(standard(query));
  });

  it('are those of the standard, whatever is sent', () => {
    const sign = fc.constantFrom(...'&=?+%aB1_ é', '%41', '&&', 'auth_key=');
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 30 }), (signs) => {
        const query = signs.join('');
        expect(new SignedQuery(query).pairs).toEqual(standard(query));
      }),
    );
  });

  it('are found in lower case; of a repeated one the first counts, and one that is missing is empty', () => {
    const query = new SignedQuery('AUTH_KEY=1&auth_key=2&b=');
    expect([query.get('auth_key'), query.get('b'), query.get('c')]).toEqual(['1', '', '']);
  });
});

describe('A URL', () => {
  it.each([
    ['/a', ['/a', '']],
    ['/a?', ['/a', '']],
    ['/a?b=c', ['/a', 'b=c']],
    ['/a?b?c', ['/a', 'b?c']],
  ])('%s ends its path at the first question mark', (url, parts) => {
    expect(splitUrl(url)).toEqual(parts);
  });
});
