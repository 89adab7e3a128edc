// The maths of the soak on series whose truth is known: flat ones with all the noise there is, and ones that grow.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COUNT, MEMORY } from '#test/soak/sample-world.ts';
import { judgeGrowth, MIN_SAMPLES, type Sample, slopeOf } from '#test/soak/series.ts';

const EVERY_SECONDS = 5;
const ALLOWED = { share: 0.05, least: 10 };

const series = (count: number, valueAt: (index: number) => number): Sample[] =>
  Array.from({ length: count }, (_, index) => ({ atSeconds: index * EVERY_SECONDS, value: valueAt(index) }));

/** Up and down without a trend, the same every time. */
const noise = (index: number): number => ((index * 7_919) % 101) - 50;

/** What a heap does: it fills and is emptied. */
const sawtooth = (index: number): number => (index % 9) * 40;

const growsOf = (samples: readonly Sample[]) => judgeGrowth(samples, ALLOWED)?.grows;

describe('slopeOf()', () => {
  it('is the slope of a line, with no error', () => {
    expect(slopeOf(series(20, (index) => 3 + 10 * index))).toEqual({ slope: 2, low: 2, high: 2 });
  });

  it('is not moved by a few outliers', () => {
    const slope = slopeOf(series(60, (index) => 10 * index + (index % 13 === 0 ? 5_000 : 0)));
    expect(slope?.slope).toBeCloseTo(2, 0);
  });

  it('holds the true slope within its error, nearly always', () => {
    let within = 0;
    let all = 0;
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 30, maxLength: 60 }),
        (errors) => {
          const slope = slopeOf(series(errors.length, (index) => 15 * index + (errors[index] ?? 0)));
          all += 1;
          if (slope !== undefined && slope.low <= 3 && slope.high >= 3) within += 1;
        },
      ),
      { numRuns: 200, seed: 1 },
    );
    expect(within / all).toBeGreaterThan(0.85);
  });

  it('says nothing of too few samples', () => {
    expect(slopeOf(series(MIN_SAMPLES - 1, (index) => index))).toBeUndefined();
  });
});

describe('judgeGrowth()', () => {
  it.each<[string, (index: number) => number]>([
    ['a flat line', () => 1_000],
    ['noise', (index) => 1_000 + noise(index)],
    ['a heap that fills and is emptied', (index) => 1_000 + sawtooth(index)],
    ['what grows at first and then no more', (index) => 1_000 + 50 * Math.min(index, 20)],
    ['one step', (index) => (index < 90 ? 1_000 : 1_400)],
    ['what shrinks', (index) => 5_000 - 10 * index],
    ['zero', () => 0],
    ['growth below what is allowed', (index) => 1_000 + 0.1 * index],
  ])('lets pass %s', (_what, valueAt) => {
    expect(growsOf(series(120, valueAt))).toBe(false);
  });

  it.each<[string, (index: number) => number]>([
    ['a line', (index) => 1_000 + 2 * index],
    ['a leak under noise', (index) => 1_000 + 4 * index + noise(index)],
    ['a leak under a heap that is emptied', (index) => 1_000 + 10 * index + sawtooth(index)],
    ['a leak in steps', (index) => 1_000 + 100 * Math.floor(index / 10)],
    ['a few handles', (index) => 3 + 0.5 * index],
  ])('finds %s', (_what, valueAt) => {
    expect(growsOf(series(120, valueAt))).toBe(true);
  });
});

describe('a soak of the documented length', () => {
  const CALLS_A_SECOND = 15; // of thirty, as two processes share them

  /** A process whose heap fills and is emptied between 50 and 70 MiB. */
  const heap = (index: number): number => 60 + noise(index) / 5;

  const soak = (minutes: number, valueAt: (index: number, calls: number) => number): Sample[] =>
    series((minutes * 60) / EVERY_SECONDS, (index) => valueAt(index, index * EVERY_SECONDS * CALLS_A_SECOND));

  it.each([
    [10, 4],
    [30, 2],
    [60, 1],
  ])('finds in %i minutes a leak of %i KiB a call', (minutes, kibibytes) => {
    const leaking = soak(minutes, (index, calls) => heap(index) + (calls * kibibytes) / 1_024);
    expect(judgeGrowth(leaking, MEMORY)?.grows).toBe(true);
    expect(judgeGrowth(soak(minutes, heap), MEMORY)?.grows).toBe(false);
  });

  it('finds in half an hour a handle that is left open by one call in a thousand', () => {
    const leaking = soak(30, (index, calls) => 60 + noise(index) / 25 + calls / 1_000);
    expect(judgeGrowth(leaking, COUNT)?.grows).toBe(true);
  });
});
