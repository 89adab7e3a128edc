// Unit tests of freshness.ts: how old a copy is said to be when clocks are set.

import { describe, expect, it } from 'vitest';
import { createFreshness } from '#registry/feed/freshness.ts';

const HOUR = 3_600_000;
const START = 1_900_000_000_000;

/** A wall clock and one that nobody sets. */
const clocks = () => {
  let [wall, monotonic] = [START, 5_000];
  return {
    wallMs: () => wall,
    monotonicMs: () => monotonic,
    pass: (ms: number) => {
      wall += ms;
      monotonic += ms;
    },
    set: (ms: number) => {
      wall += ms;
    },
  };
};

const ageOf = (freshness: { atMs(): number }, time: { wallMs(): number }): number =>
  time.wallMs() - freshness.atMs();

describe('the age of a copy', () => {
  it('is the time since it was confirmed', () => {
    const time = clocks();
    const freshness = createFreshness(time);
    expect(freshness.atMs()).toBe(0);
    freshness.confirm();
    time.pass(7_000);
    expect(ageOf(freshness, time)).toBe(7_000);
    expect(freshness.atMs()).toBe(START);
  });

  it('is no less because the clock was set back', () => {
    const time = clocks();
    const freshness = createFreshness(time);
    freshness.confirm();
    time.pass(60_000);
    time.set(-HOUR);
    expect(ageOf(freshness, time)).toBe(60_000);
    time.pass(1_000);
    expect(ageOf(freshness, time)).toBe(61_000);
    freshness.confirm();
    expect(ageOf(freshness, time)).toBe(0);
  });

  it('of an earlier process is no less either', () => {
    const time = clocks();
    const freshness = createFreshness(time);
    freshness.restore(START - HOUR);
    time.set(-HOUR);
    time.pass(5_000);
    expect(ageOf(freshness, time)).toBe(HOUR + 5_000);
  });

  it('is greater where the clock was set forward, which nobody can tell from a machine that slept, until the next word of the registry', () => {
    const time = clocks();
    const freshness = createFreshness(time);
    freshness.confirm();
    time.set(HOUR);
    expect(ageOf(freshness, time)).toBe(HOUR);
    freshness.confirm();
    expect(ageOf(freshness, time)).toBe(0);
  });

  it('is left alone by a clock that is put right little by little', () => {
    const time = clocks();
    const freshness = createFreshness(time);
    freshness.confirm();
    time.pass(10_000);
    time.set(-900);
    expect(ageOf(freshness, time)).toBe(9_100);
  });
});
