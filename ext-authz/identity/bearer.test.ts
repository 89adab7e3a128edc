// Unit tests of bearer.ts.
import { describe, expect, it } from 'vitest';
import { findBearerToken } from '#ext-authz/identity/bearer.ts';

const outcomeOf = (...values: string[]): string => {
  const found = findBearerToken(new Map(values.length === 0 ? [] : [['authorization', values]]));
  return found.ok ? found.value.reveal() : found.error.reason;
};

describe('findBearerToken()', () => {
  it.each([['Bearer abc.def.ghi'], ['bearer abc.def.ghi'], ['BEARER  abc.def.ghi'], ['Bearer abc.def.ghi ']])(
    'finds the token in %j',
    (value) => {
      expect(outcomeOf(value)).toBe('abc.def.ghi');
    },
  );

  it.each([
    ['no header', [], 'token_missing'],
    ['another scheme', ['Basic dXNlcjpwYXNz'], 'token_missing'],
    ['a scheme that begins alike', ['BearerToken abc'], 'token_missing'],
    ['a DPoP token', ['DPoP abc'], 'token_missing'],
    ['an empty value', [''], 'token_missing'],
    ['two headers', ['Bearer abc', 'Bearer abc'], 'credential_misplaced'],
    ['two headers joined on the way', ['Bearer abc, Bearer def'], 'credential_misplaced'],
    ['a scheme alone', ['Bearer'], 'token_malformed'],
    ['a scheme and blanks', ['Bearer   '], 'token_malformed'],
    ['two words', ['Bearer abc def'], 'token_malformed'],
    ['a quoted token', ['Bearer "abc"'], 'token_malformed'],
    ['a line break', ['Bearer abc\r\nx-y: z'], 'token_malformed'],
    ['a NUL', ['Bearer abc\u0000'], 'token_malformed'],
    ['padding in the middle', ['Bearer a=b'], 'token_malformed'],
    ['more than 16 KiB', [`Bearer ${'a'.repeat(16 * 1024)}`], 'token_malformed'],
  ])('refuses %s', (_title, values, reason) => {
    expect(outcomeOf(...values)).toBe(reason);
  });

  it('takes no longer for hostile blanks than for a token', () => {
    const started = performance.now();
    for (let i = 0; i < 100; i += 1) outcomeOf(`Bearer ${' '.repeat(16_000)}a b`);
    expect(performance.now() - started).toBeLessThan(500);
  });
});
