// Unit tests of replica-weights.ts: inverse to what calls cost, bounded, still where nothing changes, and forgetting.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CallFigures, latencyBucket, NO_FIGURES } from '#core/call-figures.ts';
import { NO_WEIGHTS, nextWeights, type ReplicaWeights } from '#xds-server/figures/replica-weights.ts';

const seen = (calls: number, latencyMs: number, errors = 0): CallFigures => {
  const latency = [...NO_FIGURES.latency];
  latency[latencyBucket(latencyMs)] = calls - errors;
  return { calls, errors, latency };
};
const figures = (byAddress: Record<string, CallFigures>) => new Map(Object.entries(byAddress));
const weightsOf = ({ weights }: ReplicaWeights) => Object.fromEntries(weights);
const judged = (byAddress: Record<string, CallFigures>) =>
  weightsOf(nextWeights(NO_WEIGHTS, figures(byAddress), 0));

describe('nextWeights()', () => {
  it('gives a replica ten times slower well under a fifth', () => {
    const { fast = 0, slow = 0 } = judged({ fast: seen(100, 20), slow: seen(100, 200) });
    expect(slow / (fast + slow)).toBeLessThan(0.12);
  });

  it('leaves the slowest, and one that answers nothing, a few calls to recover by', () => {
    expect(judged({ a: seen(50, 5), b: seen(50, 60_000), c: seen(50, 1, 50) })).toEqual({
      a: 128,
      b: 4,
      c: 4,
    });
  });

  it('counts errors against a replica that fails fast', () => {
    const { good = 0, bad = 0 } = judged({ good: seen(100, 100), bad: seen(100, 10, 100) });
    expect(bad).toBeLessThan(good / 10);
    const { half = 0, whole = 0 } = judged({ whole: seen(100, 100), half: seen(100, 100, 50) });
    expect(half).toBeLessThan(whole / 4);
  });

  it('prefers none where all are alike, or none answers', () => {
    expect(judged({ a: seen(9, 1), b: seen(9, 1.5) })).toEqual({ a: 128, b: 110 });
    expect(judged({ a: seen(9, 1, 9), b: seen(9, 1, 9) })).toEqual({ a: 128, b: 128 });
  });

  it('does not judge a replica by a call or two', () => {
    expect(judged({ a: seen(100, 10), b: seen(2, 5_000) })).toEqual({ a: 128 });
  });

  it('says nothing new for less than a fifth, nor soon after it spoke', () => {
    const first = nextWeights(NO_WEIGHTS, figures({ a: seen(100, 100), b: seen(100, 400) }), 0);
    const slightly = figures({ a: seen(100, 100), b: seen(100, 400), c: seen(1, 1) });
    expect(nextWeights(first, slightly, 60_000)).toBe(first);
    const much = figures({ a: seen(100, 400), b: seen(100, 100) });
    expect(nextWeights(first, much, 1_000)).toBe(first);
    expect(weightsOf(nextWeights(first, much, 2_000))).toEqual({ a: 32, b: 128 });
  });

  it('never leaves its bounds and stands still on constant figures', () => {
    const replica = fc
      .tuple(fc.integer({ min: 3, max: 500 }), fc.integer({ min: 1, max: 90_000 }))
      .chain(([calls, ms]) => fc.integer({ min: 0, max: calls }).map((errors) => seen(calls, ms, errors)));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), replica, { minKeys: 1 }), (world) => {
        const first = nextWeights(NO_WEIGHTS, figures(world), 0);
        for (const weight of first.weights.values()) {
          expect(Number.isInteger(weight)).toBe(true);
          expect(weight).toBeGreaterThanOrEqual(4);
          expect(weight).toBeLessThanOrEqual(128);
        }
        expect(nextWeights(first, figures(world), 1e6)).toBe(first);
      }),
    );
  });

  it('forgets step by step what is not seen any more, and then is silent', () => {
    let state = nextWeights(NO_WEIGHTS, figures({ a: seen(100, 10), b: seen(100, 5_000) }), 0);
    const trail: number[] = [];
    for (let at = 1; at < 40; at += 1) {
      state = nextWeights(state, new Map(), at * 2_000);
      trail.push(state.weights.get('b') ?? 64);
    }
    expect(trail.slice(0, -30)).toEqual(trail.slice(0, -30).toSorted((one, other) => one - other));
    expect(state.weights.size).toBe(0);
    expect(nextWeights(state, new Map(), 1e9)).toBe(state);
  });
});
