// Unit tests of window.ts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LATENCY_BOUNDS_MS, NO_FIGURES } from '#core/call-figures.ts';
import { type Sample, Window } from '#xds-server/figures/window.ts';

const quick: Sample = { failed: false, latencyMs: 1 };
const lost: Sample = { failed: true, latencyMs: undefined };

describe('Window', () => {
  it('adds up what is in it', () => {
    const window = new Window(1_000);
    for (const sample of [quick, lost, { failed: false, latencyMs: 1e9 }]) window.add(sample, 500);
    const { calls, errors, latency } = window.figures(500);
    expect([calls, errors, latency[0], latency[LATENCY_BOUNDS_MS.length]]).toEqual([3, 1, 1, 1]);
    expect(latency.length).toBe(NO_FIGURES.latency.length);
  });

  it('holds all of the last nine tenths and nothing older than the whole, whatever the times', () => {
    const times = fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(times, fc.integer({ min: 0, max: 5_000 }), (unsorted, wait) => {
        const window = new Window(1_000);
        const sorted = unsorted.toSorted((a, b) => a - b);
        for (const time of sorted) window.add(quick, time);
        const now = (sorted.at(-1) ?? 0) + wait;
        const { calls } = window.figures(now);
        expect(calls).toBeGreaterThanOrEqual(sorted.filter((time) => time > now - 900).length);
        expect(calls).toBeLessThanOrEqual(sorted.filter((time) => time > now - 1_000).length);
        expect(window.isEmpty(now)).toBe(calls === 0);
      }),
    );
  });

  it('loses nothing to a clock that steps back', () => {
    const window = new Window(1_000);
    window.add(quick, 5_000);
    window.add(quick, 100);
    expect(window.figures(5_000).calls).toBe(2);
  });
});
