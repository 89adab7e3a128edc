import { describe, expect, it } from 'vitest';
import { findNotLower } from '#registry/manifest/semantic-version.ts';

/** SemVer 2.0.0 §11, in its own order, and numbers beyond what a double can tell apart. */
const ASCENDING = [
  '0.9.9',
  '1.0.0-alpha',
  '1.0.0-alpha.1',
  '1.0.0-alpha.beta',
  '1.0.0-beta',
  '1.0.0-beta.2',
  '1.0.0-beta.11',
  '1.0.0-rc.1',
  '1.0.0',
  '1.0.9',
  '1.0.10',
  '1.2.0',
  '1.10.0',
  '2.0.0',
  '99999999999999999999.0.0',
  '100000000000000000000.0.0',
];

describe('findNotLower', () => {
  it('lets a version pass exactly if it is higher than all', () => {
    for (const [index, version] of ASCENDING.entries()) {
      expect(findNotLower(version, ASCENDING.slice(0, index)), version).toBeUndefined();
      for (const other of ASCENDING.slice(index)) expect(findNotLower(version, [other]), version).toBe(other);
    }
  });

  it('does not count build metadata', () => {
    expect(findNotLower('1.0.0+b', ['1.0.0+a'])).toBe('1.0.0+a');
  });

  it('names without precedence stand against nothing', () => {
    expect(findNotLower('0.0.1', ['latest', 'v2', '2026-01-01'])).toBeUndefined();
  });
});
