// Unit tests of access-token.ts.
import { describe, expect, it } from 'vitest';
import { findAccessToken } from '#ext-authz/identity/access-token.ts';
import { cpuTimeOf } from '#test/support/cpu-time.ts';

const outcomeOf = (...values: string[]): string => {
  const found = findAccessToken(new Map(values.length === 0 ? [] : [['authorization', values]]));
  return found.ok ? `${found.value.scheme} ${found.value.token.reveal()}` : found.error.reason;
};

describe('findAccessToken()', () => {
  it.each([['Bearer abc.def.ghi'], ['bearer abc.def.ghi'], ['BEARER  abc.def.ghi'], ['Bearer abc.def.ghi ']])(
    'finds the token in %j',
    (value) => {
      expect(outcomeOf(value)).toBe('bearer abc.def.ghi');
    },
  );

  it.each([['DPoP abc.def.ghi'], ['dpop abc.def.ghi'], ['DPOP  abc.def.ghi']])(
    'finds the bound token in %j',
    (value) => {
      expect(outcomeOf(value)).toBe('dpop abc.def.ghi');
    },
  );

  it.each([
    ['no header', [], 'token_missing'],
    ['another scheme', ['Basic dXNlcjpwYXNz'], 'token_missing'],
    ['a scheme that begins alike', ['BearerToken abc'], 'token_missing'],
    ['a scheme that begins like the other', ['DPoP-Token abc'], 'token_missing'],
    ['the other scheme alone', ['DPoP'], 'token_malformed'],
    ['one header for each scheme', ['Bearer abc', 'DPoP abc'], 'credential_misplaced'],
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
    const timeMs = cpuTimeOf(() => {
      for (let i = 0; i < 100; i += 1) outcomeOf(`Bearer ${' '.repeat(16_000)}a b`);
    });
    expect(timeMs).toBeLessThan(500);
  });
});
