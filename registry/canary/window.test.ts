import { describe, expect, it } from 'vitest';
import { type CallFigures, latencyBucket, NO_FIGURES } from '#core/call-figures.ts';
import type { AbortRule } from '#core/traffic-split.ts';
import { describeBreach, judgeFigures } from '#registry/canary/judge.ts';
import { addToWindow, openWindow, sumOf } from '#registry/canary/window.ts';

/** Calls that took this long, the first of them failed. */
const figures = (calls: number, errors = 0, latencyMs = 20): CallFigures => ({
  calls,
  errors,
  latency: NO_FIGURES.latency.map((_, index) => (index === latencyBucket(latencyMs) ? calls : 0)),
});

const RULE: AbortRule = {
  version: '2',
  fallback: '1',
  windowSeconds: 60,
  minimumCalls: 100,
  limits: [
    { signal: 'error-rate', maximum: 0.05 },
    { signal: 'latency-p95', maximum: 500 },
  ],
};

describe('a window', () => {
  it('sums what was added, by whomever', () => {
    const window = [0, 1_000, 1_000].reduce(
      (sum, at) => addToWindow(sum, figures(10, 1), at),
      openWindow(60),
    );
    expect(sumOf(window, 1_500)).toEqual(figures(30, 3));
  });

  it('lets go what is older than it is long, a sixtieth of it early at most', () => {
    const window = addToWindow(openWindow(60), figures(10), 0);
    expect(sumOf(window, 59_000).calls).toBe(10);
    expect(sumOf(window, 60_000).calls).toBe(0);
  });

  it('holds no more than sixty slots, however often it is added to', () => {
    let window = openWindow(60);
    for (let at = 0; at < 600_000; at += 250) window = addToWindow(window, figures(1), at);
    expect(window.slots.length).toBeLessThanOrEqual(60);
  });
});

describe('a judgement', () => {
  it.each<[string, CallFigures, string | undefined]>([
    ['no calls', NO_FIGURES, undefined],
    ['too few to say', figures(99, 99), undefined],
    ['just the share that is allowed', figures(100, 5), undefined],
    ['one more', figures(100, 6), 'error-rate'],
    ['as slow as is allowed', figures(100, 0, 500), undefined],
    ['slower', figures(100, 0, 501), 'latency-p95'],
    ['slower than any bound', figures(100, 0, 1e6), 'latency-p95'],
  ])('of %s', (_what, seen, signal) => {
    expect(judgeFigures(RULE, seen)?.signal).toBe(signal);
  });

  it('names a number that JSON can hold, over the limit or at it', () => {
    const rule = { ...RULE, limits: [{ signal: 'latency-p95' as const, maximum: 500 }] };
    expect(judgeFigures(rule, figures(100, 0, 1e6))).toEqual({
      signal: 'latency-p95',
      value: 65_000,
      limit: 500,
      calls: 100,
    });
  });

  it('of answers is made by the answers that were judged, however many calls there were', () => {
    const rule = { ...RULE, limits: [{ signal: 'invalid-answers' as const, maximum: 0.02 }] };
    const of = (judged: number, invalid: number): CallFigures => ({
      ...NO_FIGURES,
      answers: { judged, invalid },
    });
    expect(judgeFigures(rule, figures(1_000, 1_000))).toBeUndefined();
    expect(judgeFigures(rule, of(99, 99))).toBeUndefined();
    expect(judgeFigures(rule, of(100, 2))).toBeUndefined();
    const window = [of(60, 1), figures(5), of(40, 2)].reduce(
      (sum, seen) => addToWindow(sum, seen, 0),
      openWindow(60),
    );
    const breach = judgeFigures(rule, sumOf(window, 0));
    expect(breach && describeBreach(breach, 60)).toBe(
      'invalid-answers of 3 % is over 2 %, in 100 judged answers of 60 s',
    );
  });

  it('is said in words', () => {
    const breach = judgeFigures(RULE, figures(200, 25));
    expect(breach && describeBreach(breach, 60)).toBe(
      'error-rate of 12.5 % is over 5 %, in 200 calls of 60 s',
    );
  });
});
