// When a provider is not asked for a while: after outages, or after it refused our own credential. One exchange then
// tries, and each try that fails doubles the pause. Pure: times and chance are arguments.

import type { Reason } from '#core/reason.ts';

/** `failing`: the callers who met an outage since the last answer. */
export type Breaker =
  | { readonly kind: 'closed'; readonly failing: readonly string[] }
  | {
      readonly kind: 'open';
      readonly because: Reason;
      readonly pauseMs: number;
      readonly untilMs: number;
    }
  | { readonly kind: 'trying'; readonly because: Reason; readonly pauseMs: number };

export type BreakerRules = {
  /** Different callers it takes: one whose exchanges always fail must not stop the others. */
  readonly callers: number;
  readonly pauseMs: number;
  readonly maxPauseMs: number;
};

/** What came of an exchange, for one breaker. `unknown`: nothing was learnt. */
export type Experience = { readonly kind: 'answered' | 'unknown' } | Failure;

type Failure = {
  readonly kind: 'failed';
  readonly because: Reason;
  /** The provider's own wish; never undercut. */
  readonly retryAfterMs?: number;
};

export type Admission =
  | { readonly kind: 'goes'; readonly breaker: Breaker; readonly isTry: boolean }
  | { readonly kind: 'waits'; readonly because: Reason; readonly retryAfterMs: number };

export const CLOSED: Breaker = { kind: 'closed', failing: [] };

/** While one exchange tries, the others are told to come back when it will have ended. */
const TRY_MS = 2_000;

/** Part of a pause that chance changes, so that processes do not try all at once: ours get shorter, the provider's longer. */
const JITTER = 0.2;

/** May an exchange go? `breaker` is the state if it does. */
export const admit = (breaker: Breaker, nowMs: number): Admission => {
  if (breaker.kind === 'closed') return { kind: 'goes', breaker, isTry: false };
  const { because, pauseMs } = breaker;
  if (breaker.kind === 'trying') return { kind: 'waits', because, retryAfterMs: TRY_MS };
  if (breaker.untilMs > nowMs) return { kind: 'waits', because, retryAfterMs: breaker.untilMs - nowMs };
  return { kind: 'goes', breaker: { kind: 'trying', because, pauseMs }, isTry: true };
};

type Outcome = {
  readonly experience: Experience;
  readonly isTry: boolean;
  readonly caller: string;
  readonly nowMs: number;
  /** From 0 to 1. */
  readonly random: number;
};

const open = (failure: Failure, pauseMs: number, { nowMs, random }: Outcome): Breaker => {
  const wished = (failure.retryAfterMs ?? 0) * (1 + JITTER * random);
  const untilMs = nowMs + Math.max(pauseMs * (1 - JITTER * random), wished);
  return { kind: 'open', because: failure.because, pauseMs, untilMs };
};

const settleClosed = (failing: readonly string[], rules: BreakerRules, outcome: Outcome): Breaker => {
  const { experience, caller } = outcome;
  switch (experience.kind) {
    case 'unknown':
      return { kind: 'closed', failing };
    case 'answered':
      return CLOSED;
    case 'failed': {
      const now = [...new Set([...failing, caller])];
      return now.length < rules.callers
        ? { kind: 'closed', failing: now }
        : open(experience, rules.pauseMs, outcome);
    }
  }
};

/** The breaker after an exchange that it let go. */
export const settle = (breaker: Breaker, rules: BreakerRules, outcome: Outcome): Breaker => {
  if (breaker.kind === 'closed') return settleClosed(breaker.failing, rules, outcome);
  // What was under way when it opened says what was true before.
  if (breaker.kind !== 'trying' || !outcome.isTry) return breaker;
  const { because, pauseMs } = breaker;
  switch (outcome.experience.kind) {
    case 'answered':
      return CLOSED;
    case 'unknown':
      return { kind: 'open', because, pauseMs, untilMs: outcome.nowMs };
    case 'failed':
      return open(outcome.experience, Math.min(pauseMs * 2, rules.maxPauseMs), outcome);
  }
};
