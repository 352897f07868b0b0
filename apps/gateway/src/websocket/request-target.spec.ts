import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRequestTarget, type RequestTarget } from './request-target.js';

/** What the URL standard makes of it. Not `URL.canParse`: Node 20's is sometimes wrong with a base. */
function standard(target: string): RequestTarget | undefined {
  try {
    const url = new URL(target, 'ws://gateway');
    return { pathname: url.pathname, protocol: url.searchParams.get('protocol') ?? undefined };
  } catch {
    return undefined;
  }
}

describe('parseRequestTarget', () => {
  it.each([
    '/app/key?protocol=7&client=js&version=8.6.0&flash=false',
    '/app/key',
    '/app/key?',
    '/app/key?protocol',
    '/app/key?protocol=',
    '/app/key?protocol=7=8',
    '/app/key?protocol=&protocol=7',
    '/app/key?protocols=5&protocol=6&xprotocol=7',
    '/app/key?client=js&protocol=-1',
    '/app/key?&&protocol=7',
    '/app/key?protocol=%37',
    '/app/key?%70rotocol=7',
    '/app/key?protocol=+7',
    '/app/key?protocol=7#&protocol=8',
    '/app/key?protocol=7?protocol=8',
    '/prefix/app/k_e-y?protocol=7',
    '/app/k%65y?protocol=7',
    '/app/../app/key',
    '/app/%2e%2e/key',
    '/app/./key',
    '/app\\key',
    '/app//key',
    '/app/key/',
    '/app/key\n',
    '/app/\tkey?protocol=7\n',
    '//other.example/app/key?protocol=7',
    'ws://other.example/app/key?protocol=7',
    'http://[/app/key',
    '//',
    '/',
    '*',
    '',
    '?protocol=7',
  ])('reads %j as the URL standard does', (target) => {
    expect(parseRequestTarget(target)).toEqual(standard(target));
  });

  it('reads anything as the URL standard does', () => {
    const part = fc.constantFrom('/', 'app', 'key', '?', '&', '=', 'protocol', '7', '-', '.', '..', '%', '%2e', '%70');
    const odd = fc.constantFrom('#', '+', '\\', '\t', '\n', ' ', ':', '@', '[', 'é', '\0', '"', '_');
    const target = fc
      .array(fc.oneof({ weight: 5, arbitrary: part }, odd), { maxLength: 14 })
      .map((all) => all.join(''));
    fc.assert(
      fc.property(target, (text) => {
        expect(parseRequestTarget(text)).toEqual(standard(text));
      }),
      { numRuns: 5_000 },
    );
  });
});
