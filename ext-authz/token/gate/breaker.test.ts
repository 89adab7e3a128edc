// The breaker as a table of what it is told and what it lets go.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit, type Breaker, CLOSED, type Experience, settle } from '#ext-authz/token/gate/breaker.ts';

const RULES = { callers: 3, pauseMs: 2_000, maxPauseMs: 60_000 };
const OUTAGE = { kind: 'failed', because: 'provider_unavailable' } as const;
const ANSWERED = { kind: 'answered' } as const;

const next = (breaker: Breaker, experience: Experience, more: Partial<Parameters<typeof settle>[2]> = {}) =>
  settle(breaker, RULES, { experience, isTry: false, caller: 'alice', nowMs: 0, random: 0, ...more });

const outagesOf = (...callers: readonly string[]): Breaker =>
  callers.reduce<Breaker>((breaker, caller) => next(breaker, OUTAGE, { caller }), CLOSED);

const OPEN = outagesOf('alice', 'bob', 'carol');
const TRYING = { kind: 'trying', because: 'provider_unavailable', pauseMs: 2_000 } as const;

describe('a breaker', () => {
  it('opens when several callers in a row meet an outage, and not for one who meets it again and again', () => {
    expect(outagesOf('alice', 'alice', 'alice', 'alice', 'bob')).toMatchObject({ kind: 'closed' });
    expect(OPEN).toEqual({ kind: 'open', because: 'provider_unavailable', pauseMs: 2_000, untilMs: 2_000 });
  });

  it('forgets outages when the provider answers, whatever it says', () => {
    const answered = next(outagesOf('alice', 'bob'), ANSWERED);
    expect(answered).toBe(CLOSED);
    expect(next(answered, OUTAGE, { caller: 'carol' })).toMatchObject({
      kind: 'closed',
      failing: ['carol'],
    });
  });

  it('learns nothing from an exchange that was never sent', () => {
    const two = outagesOf('alice', 'bob');
    expect(next(two, { kind: 'unknown' })).toEqual(two);
  });

  it('says for how long nobody goes, then lets one try', () => {
    expect(admit(OPEN, 500)).toEqual({ kind: 'waits', because: 'provider_unavailable', retryAfterMs: 1_500 });
    expect(admit(OPEN, 2_000)).toEqual({ kind: 'goes', breaker: TRYING, isTry: true });
    expect(admit(TRYING, 2_000)).toMatchObject({ kind: 'waits' });
  });

  it('closes when the try is answered, and pauses twice as long when it is not, to a bound', () => {
    expect(next(TRYING, ANSWERED, { isTry: true })).toBe(CLOSED);
    const again = next(TRYING, OUTAGE, { isTry: true, nowMs: 10_000 });
    expect(again).toMatchObject({ kind: 'open', pauseMs: 4_000, untilMs: 14_000 });
    const long = next({ ...TRYING, pauseMs: 50_000 }, OUTAGE, { isTry: true });
    expect(long).toMatchObject({ pauseMs: 60_000 });
  });

  it('lets the next one try at once when a try was never sent', () => {
    const unsent = next(TRYING, { kind: 'unknown' }, { isTry: true, nowMs: 7_000 });
    expect(admit(unsent, 7_000)).toMatchObject({ kind: 'goes', isTry: true });
  });

  it('hears nothing from exchanges that began before it opened', () => {
    for (const state of [OPEN, TRYING]) {
      expect(next(state, ANSWERED)).toBe(state);
      expect(next(state, OUTAGE)).toBe(state);
    }
  });

  it('never comes back sooner than the provider asks, nor all processes at once', () => {
    const asked = { ...OUTAGE, retryAfterMs: 30_000 };
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (random) => {
        const wished = next(TRYING, asked, { isTry: true, random });
        const own = next(TRYING, OUTAGE, { isTry: true, random });
        expect(wished.kind === 'open' && wished.untilMs).toBeGreaterThanOrEqual(30_000);
        expect(own.kind === 'open' && own.untilMs).toBe(4_000 * (1 - 0.2 * random));
      }),
    );
  });
});
