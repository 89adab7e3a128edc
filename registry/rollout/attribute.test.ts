// Unit tests of attribute.ts.

import { describe, expect, it } from 'vitest';
import { attribute } from '#registry/rollout/attribute.ts';

/** The revision at commit 20, between those at 10 and 30. */
const MIDDLE = { sequence: 20, previous: 10, next: 30 };
const NEWEST = { sequence: 20, previous: 10 };

describe('attribute()', () => {
  it.each([
    ['published by itself', { after: 10, upTo: 20 }, 'this-revision'],
    ['published with commits of others', { after: 15, upTo: 25 }, 'this-revision'],
    ['published together with the one before', { after: 5, upTo: 20 }, 'this-or-others'],
    ['published together with the one after', { after: 10, upTo: 30 }, 'this-or-others'],
    ['brought by the one before', { after: 5, upTo: 10 }, 'another-revision'],
    ['brought by the one after', { after: 20, upTo: 30 }, 'another-revision'],
    ['brought by addresses that moved', { after: 20, upTo: 20 }, 'another-revision'],
  ])('content %s', (_title, arrived, expected) => {
    expect(attribute(arrived, MIDDLE)).toBe(expected);
  });

  it('lays what nobody saw arrive at the door of the newest revision, and not for certain', () => {
    expect(attribute({ upTo: 40 }, NEWEST)).toBe('this-or-others');
    expect(attribute(undefined, NEWEST)).toBe('this-or-others');
    expect(attribute({ upTo: 40 }, MIDDLE)).toBe('another-revision');
    expect(attribute({ upTo: 15 }, NEWEST)).toBe('another-revision');
  });
});
