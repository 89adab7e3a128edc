// Times of a token: by shares of its life, and never past its end or the caller's.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '#core/secret.ts';
import { judgeFreshness, shareOfLife } from '#ext-authz/token/freshness.ts';

const token = (lifetime: number, notedAt = 0) => ({
  token: new Secret('t'),
  notedAt,
  expiresAt: notedAt + lifetime,
});

const at = (
  nowSeconds: number,
  {
    lifetime = 3_600,
    callerEndsAt,
    spread = 0,
  }: { lifetime?: number; callerEndsAt?: number; spread?: number } = {},
) => judgeFreshness(token(lifetime), { nowSeconds, callerEndsAt, spread });

describe('judgeFreshness()', () => {
  it('has a token renewed after four fifths of its life, replaced in its last minute, and never used past its end', () => {
    const times = [0, 2_879, 2_880, 3_539, 3_540, 3_599.9, 3_600];
    expect(times.map((now) => at(now))).toEqual([
      'fresh',
      'fresh',
      'due',
      'due',
      'ending',
      'ending',
      'ended',
    ]);
  });

  it('judges tokens of five seconds by the same shares, to the fraction of a second', () => {
    const times = [3.9, 4, 4.4, 4.5, 4.99, 5];
    expect(times.map((now) => at(now, { lifetime: 5 }))).toEqual([
      'fresh',
      'due',
      'due',
      'ending',
      'ending',
      'ended',
    ]);
  });

  it('puts the mark up to a twentieth of the life later, by chance', () => {
    expect(at(2_880, { spread: 0.5 })).toBe('fresh');
    expect(at(3_061, { spread: 1 })).toBe('due');
  });

  it('uses a token of a caller who ends sooner until that end, as no exchange would make it last longer', () => {
    expect(at(2_999.9, { callerEndsAt: 3_000 })).toBe('fresh');
    expect(at(3_000, { callerEndsAt: 3_000 })).toBe('ended');
    expect(at(3_599, { callerEndsAt: 3_600 })).toBe('fresh');
  });

  it('leaves an exchange that gains a few seconds to the last moment', () => {
    expect([3_400, 3_598, 3_599.1].map((now) => at(now, { callerEndsAt: 3_610 }))).toEqual([
      'fresh',
      'fresh',
      'ending',
    ]);
    expect(at(3_400, { callerEndsAt: 3_700 })).toBe('due');
  });

  it('goes one way only, ends at the earlier end, and asks for nothing that gains nothing', () => {
    const order = ['fresh', 'due', 'ending', 'ended'];
    const seconds = fc.double({ min: 0.1, max: 100_000, noNaN: true });
    fc.assert(
      fc.property(
        seconds,
        seconds,
        seconds,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (lifetime, caller, now, spread) => {
          const terms = { lifetime, callerEndsAt: caller, spread };
          const freshness = at(now, terms);
          expect(freshness === 'ended').toBe(now >= Math.min(lifetime, caller));
          expect(order.indexOf(at(now * 1.1, terms))).toBeGreaterThanOrEqual(order.indexOf(freshness));
          if (caller <= lifetime) expect(['fresh', 'ended']).toContain(freshness);
        },
      ),
    );
  });
});

describe('shareOfLife()', () => {
  it('is a share of the token’s own life, from none to all of it', () => {
    expect([-5, 0, 4, 10, 99].map((now) => shareOfLife(token(10), now))).toEqual([0, 0, 0.4, 1, 1]);
    expect(shareOfLife(token(0), 0)).toBe(0);
  });
});
