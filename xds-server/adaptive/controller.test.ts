// Unit tests of controller.ts: never out of bounds, still where figures are still, and in the right direction.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AdaptiveSettings } from '#core/adaptive-settings.ts';
import { type CallFigures, latencyBucket, NO_FIGURES } from '#core/call-figures.ts';
import { type AdaptiveState, nextState, pausesFor, startingPace } from '#xds-server/adaptive/controller.ts';

const pauses = pausesFor(10_000);

const SETTINGS: AdaptiveSettings = {
  timeout: { minMs: 200, maxMs: 30_000 },
  retries: { max: 3, budgetPercent: { min: 5, max: 40 } },
  backoff: { baseMs: { min: 25, max: 1_000 } },
};

/** So many attempts, of which some fail and the rest take this long. */
const seen = (calls: number, latencyMs: number, errors = 0): CallFigures => {
  const latency = [...NO_FIGURES.latency];
  latency[latencyBucket(latencyMs)] = calls - errors;
  return { calls, errors, latency };
};
const healthy = seen(200, 90);

/** Every state while the same figures are seen every so often. */
const watch = (
  from: AdaptiveState | undefined,
  figures: CallFigures,
  looks: number,
  settings: AdaptiveSettings = SETTINGS,
): readonly AdaptiveState[] => {
  const states: AdaptiveState[] = [];
  let state = from;
  for (let look = 1; look <= looks; look += 1) {
    const atMs = (from?.limitAtMs ?? 0) + look * 1_000;
    state = nextState(state, settings, figures, { nowMs: atMs, pauses });
    states.push(state);
  }
  return states;
};
const last = <T>(items: readonly T[]): T => {
  const item = items.at(-1);
  if (item === undefined) throw new Error('there is one');
  return item;
};
const settledOn = (figures: CallFigures, from?: AdaptiveState) => last(watch(from, figures, 300)).pace;

const anyFigures = fc
  .tuple(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 1, max: 200_000 }))
  .chain(([calls, ms]) => fc.integer({ min: 0, max: calls }).map((errors) => seen(calls, ms, errors)));
const anyRange = (most: number) =>
  fc.tuple(fc.integer({ min: 1, max: most }), fc.integer({ min: 0, max: most })).map(([min, more]) => ({
    min,
    max: min + more,
  }));
const anySettings: fc.Arbitrary<AdaptiveSettings> = fc.record(
  {
    timeout: anyRange(100_000).map(({ min, max }) => ({ minMs: min, maxMs: max })),
    retries: fc.record({ max: fc.integer({ min: 0, max: 5 }), budgetPercent: anyRange(50) }),
    backoff: fc.record({ baseMs: anyRange(30_000) }),
  },
  { requiredKeys: [] },
);

const isWithin = (value: number | undefined, range: { min: number; max: number } | undefined): boolean =>
  range === undefined
    ? value === undefined
    : value !== undefined && Number.isInteger(value) && value >= range.min && value <= range.max;

describe('nextState()', () => {
  it('never leaves the bounds, whatever the figures, however bounds change and clocks jump', () => {
    const look = fc.tuple(anySettings, anyFigures, fc.integer({ min: -1e9, max: 1e9 }));
    fc.assert(
      fc.property(fc.array(look, { minLength: 1, maxLength: 40 }), (looks) => {
        let state: AdaptiveState | undefined;
        for (const [settings, figures, nowMs] of looks) {
          state = nextState(state, settings, figures, { nowMs, pauses });
          const { timeout, retries, backoff } = settings;
          const { pace } = state;
          expect(isWithin(pace.timeoutMs, timeout && { min: timeout.minMs, max: timeout.maxMs })).toBe(true);
          expect(isWithin(pace.retries, retries && { min: 0, max: retries.max })).toBe(true);
          expect([retries?.budgetPercent.min, retries?.budgetPercent.max]).toContain(pace.budgetPercent);
          expect(isWithin(pace.backoffMs, backoff?.baseMs)).toBe(true);
        }
      }),
    );
  });

  it('moves each value in one direction only on constant figures, and comes to a stand', () => {
    fc.assert(
      fc.property(anySettings, anyFigures, anyFigures, (settings, past, present) => {
        const from = last(watch(undefined, past, 60, settings));
        const states = [from, ...watch(from, present, 400, settings)];
        for (const field of ['timeoutMs', 'retries', 'budgetPercent', 'backoffMs'] as const) {
          const steps = states
            .slice(1)
            .map(({ pace }, at) => (pace[field] ?? 0) - (states[at]?.pace[field] ?? 0));
          expect(steps.some((step) => step > 0) && steps.some((step) => step < 0)).toBe(false);
        }
        expect(
          nextState(last(states), settings, present, { nowMs: last(states).retriesAtMs + 1e6, pauses }),
        ).toBe(last(states));
      }),
      { numRuns: 60 },
    );
  });

  it('answers more failures with no more retries, no larger budget and no shorter pause', () => {
    const rates = fc.tuple(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 200 }));
    fc.assert(
      fc.property(anyFigures, rates, (past, [a, b]) => {
        const from = last(watch(undefined, past, 40));
        const at = Math.max(from.limitAtMs, from.retriesAtMs) + pauses.recoveryMs;
        const [fewer, more] = [Math.min(a, b), Math.max(a, b)].map(
          (errors) => nextState(from, SETTINGS, seen(200, 90, errors), { nowMs: at, pauses }).pace,
        );
        expect(more?.retries).toBeLessThanOrEqual(fewer?.retries ?? 0);
        expect(more?.budgetPercent).toBeLessThanOrEqual(fewer?.budgetPercent ?? 0);
        expect(more?.backoffMs).toBeGreaterThanOrEqual(fewer?.backoffMs ?? 0);
      }),
    );
  });

  it('answers slower upstreams with no shorter limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90_000 }), fc.integer({ min: 1, max: 90_000 }), (a, b) => {
        const [quick, slow] = [Math.min(a, b), Math.max(a, b)].map(
          (ms) => settledOn(seen(200, ms)).timeoutMs,
        );
        expect(slow).toBeGreaterThanOrEqual((quick ?? 0) * 0.99);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a server', () => {
  it('begins with a limit that cuts nothing, and one retry', () => {
    expect(startingPace(SETTINGS)).toEqual({
      timeoutMs: 30_000,
      retries: 1,
      budgetPercent: 40,
      backoffMs: 158,
    });
    expect(startingPace({})).toEqual({});
  });

  it('that is well gets a limit near what its answers take, and all retries', () => {
    expect(settledOn(healthy)).toEqual({
      timeoutMs: expect.toSatisfy((ms: number) => ms >= 300 && ms <= 400),
      retries: 3,
      budgetPercent: 40,
      backoffMs: 25,
    });
  });

  it('that slows down gets a longer limit at the next move, and a shorter one step by step when it recovers', () => {
    const well = last(watch(undefined, healthy, 300));
    const slow = nextState(well, SETTINGS, seen(200, 1_500), {
      nowMs: well.retriesAtMs + pauses.moveMs,
      pauses,
    });
    expect(slow.pace.timeoutMs).toBe(4_800);
    const later = nextState(slow, SETTINGS, healthy, { nowMs: slow.limitAtMs + pauses.moveMs, pauses });
    expect(later.pace.timeoutMs).toBe(3_360);
    expect(settledOn(healthy, later).timeoutMs).toBeLessThan(400);
  });

  it('that fails gets fewer and later retries: one while some replica answers, none when none does', () => {
    expect(settledOn(seen(200, 90, 80))).toMatchObject({ retries: 1, budgetPercent: 5, backoffMs: 1_000 });
    const failing = settledOn(seen(200, 90, 180));
    expect(failing).toMatchObject({ retries: 0, budgetPercent: 5, backoffMs: 1_000 });
  });

  it('that recovers gets them back more slowly than it lost them', () => {
    const failing = watch(last(watch(undefined, healthy, 300)), seen(200, 90, 180), 300);
    const lost = failing.findIndex(({ pace }) => pace.retries === 0);
    const well = watch(last(failing), healthy, 300);
    const regained = well.findIndex(({ pace }) => pace.retries === 3);
    expect(lost).toBeGreaterThan(0);
    expect(regained).toBeGreaterThan(2 * lost);
  });

  it('that fails has the small budget from the first trouble on, and the large one last of all', () => {
    const failing = watch(last(watch(undefined, healthy, 300)), seen(200, 90, 30), 30);
    const moved = failing.find(({ pace }) => pace.backoffMs !== 25);
    expect(moved?.pace).toMatchObject({ retries: 2, budgetPercent: 5 });
    const well = watch(last(failing), healthy, 300);
    const regained = well.findIndex(({ pace }) => pace.budgetPercent === 40);
    expect(well[regained - 1]?.pace).toMatchObject({ retries: 3, backoffMs: 25, budgetPercent: 5 });
    expect(last(well).pace.budgetPercent).toBe(40);
  });

  it('that nobody calls is left alone, and so is one with a failure now and then', () => {
    const well = last(watch(undefined, healthy, 300));
    for (const figures of [NO_FIGURES, seen(5, 20_000, 5), seen(200, 90, 10)])
      expect(nextState(well, SETTINGS, figures, { nowMs: 1e9, pauses })).toBe(well);
  });
});
