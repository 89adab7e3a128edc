// Matches in texts, and texts made to be slow to search.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern, replaceMatches, type TextPattern } from '#ext-proc/transforms/text-pattern.ts';

const pattern = (source: string): TextPattern => {
  const compiled = compilePattern(source);
  if (compiled === undefined) throw new Error(`not a pattern: ${source}`);
  return compiled;
};

describe('replaceMatches', () => {
  it.each([
    ['\\d{3}', 'a 123 b 456', 'a - b -', 2],
    ['a|ab', 'abab', '-b-b', 2],
    ['x*', 'axxb', 'a-b', 1],
    ['(?i)key', 'KEY kEy', '- -', 2],
    ['.', '😀é', '--', 2],
    ['b$', 'ab\nb', 'ab\n-', 1],
    ['nothing', 'text', 'text', 0],
  ])('%s in %j', (source, text, expected, count) => {
    expect(replaceMatches(text, pattern(source), '-')).toEqual({ text: expected, count });
  });

  it('takes the replacement as it stands', () => {
    expect(replaceMatches('key', pattern('(k)(e)y'), '$1 $& \\2 ${').text).toBe('$1 $& \\2 ${');
  });

  it('knows what is no pattern', () => {
    expect(compilePattern('(')).toBeUndefined();
    expect(compilePattern('(?=a)')).toBeUndefined();
    expect(compilePattern('(a)\\1')).toBeUndefined();
  });

  it.each([
    ['BEGIN(.*END)?', 'BEGIN', 5],
    ['a.*b|a', 'a', 1],
    ['(?s)"(.*;)?', '"', 1],
  ])('lets nothing on of a text it does not search to its end: %s', (source, unit, length) => {
    const text = unit.repeat(200_000 / length);
    const { text: redacted } = replaceMatches(text, pattern(source), '-');
    expect(redacted).toMatch(/^-+$/);
    expect(redacted.length).toBeLessThan(1_000);
  });

  it('leaves no match, as the built-in expressions find them', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '1', '@', '.', ' ', '😀')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (sample) => {
        const { text: redacted } = replaceMatches(sample, pattern('[ab1]+@[ab1.]+'), '#');
        expect(redacted).toBe(sample.replace(/[ab1]+@[ab1.]+/g, '#'));
      }),
    );
  });
});
