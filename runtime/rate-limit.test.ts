import { describe, expect, it } from 'vitest';
import { createRateLimit } from '#runtime/rate-limit.ts';

describe('the rate limit', () => {
  it('lets a burst pass, then as many as are refilled, and says how long to wait', () => {
    const limit = createRateLimit({ burst: 3, perSecond: 0.5 });
    const take = (nowMs: number) => limit.take('10.0.0.1', nowMs);
    expect([take(0), take(0), take(0), take(0)]).toEqual([0, 0, 0, 2]);
    expect([take(1_000), take(2_000), take(2_000)]).toEqual([1, 0, 2]);
    expect([take(60_000), take(60_000), take(60_000), take(60_000)]).toEqual([0, 0, 0, 2]);
  });

  it('counts every address by itself, and forgets the longest unseen of very many', () => {
    const limit = createRateLimit({ burst: 1, perSecond: 0.001 });
    expect([limit.take('a', 0), limit.take('b', 0)]).toEqual([0, 0]);
    expect(limit.take('a', 0)).toBeGreaterThan(0);
    for (let n = 0; n < 9_999; n += 1) limit.take(`n${n}`, 0);
    expect(limit.take('b', 0)).toBe(0);
    expect(limit.take('a', 0)).toBe(0);
  });

  it('gives nothing for a clock that goes back', () => {
    const limit = createRateLimit({ burst: 1, perSecond: 1 });
    expect([limit.take('a', 5_000), limit.take('a', 1_000)]).toEqual([0, 1]);
  });
});
