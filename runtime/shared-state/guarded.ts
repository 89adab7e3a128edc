// Shared state that costs a call little when it is away: after a few failures in a row it is not asked for a while, and
// then by nobody's call. It counts what it was asked, and knows no backend.

import { err, type Result } from '#core/result.ts';
import type { Counter, Gauge, Histogram, Metrics } from '#runtime/metrics.ts';
import type { SharedFault, SharedState } from '#runtime/shared-state/shared-state.ts';

/** Failures in a row after which the backend counts as away. One may be chance; calls in flight at once bring more. */
const FAILURES = 3;

/** Between two looks at a backend that is away, milliseconds; chance takes up to half of it away. */
const PAUSE_MS = 1_000;

/** Nothing is kept under it. */
const PROBE_KEY = 'probe';

type Operation = Exclude<keyof SharedState, 'stop'>;

type SharedStateMetrics = {
  /** `skipped`: it was away, and was not asked. */
  readonly operations: Counter<'operation' | 'outcome'>;
  readonly duration: Histogram<'operation'>;
  /** 1 while it answers. */
  readonly up: Gauge<'backend'>;
};

export const createSharedStateMetrics = (metrics: Metrics): SharedStateMetrics => ({
  operations: metrics.counter(
    'shared_state_operations_total',
    'Questions to what decision processes share, by what came of them',
    ['operation', 'outcome'],
  ),
  duration: metrics.duration('shared_state_seconds', 'Time an answer of shared state took', ['operation']),
  up: metrics.gauge('shared_state_up', 'Whether shared state answers', ['backend']),
});

type GuardParts = {
  readonly backend: string;
  readonly metrics: SharedStateMetrics;
  /** Milliseconds of a clock that is never set back. */
  readonly nowMs: () => number;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
};

type GuardedState = SharedState & {
  /** Whether it is asked; for `/readyz`. */
  isUp(): boolean;
};

export const guardSharedState = (state: SharedState, parts: GuardParts): GuardedState => {
  const { backend, metrics, nowMs, random } = parts;
  let failures = 0;
  /** When the next look is due; undefined: it is not away. */
  let lookAtMs: number | undefined;
  metrics.up.set({ backend }, 1);

  const judge = (isAnswered: boolean): void => {
    failures = isAnswered ? 0 : failures + 1;
    const isAway = failures >= FAILURES;
    lookAtMs = isAway ? nowMs() + PAUSE_MS * (1 - random() / 2) : undefined;
    metrics.up.set({ backend }, isAway ? 0 : 1);
  };

  const attempt = async <T>(operation: Operation, work: () => Promise<Result<T, SharedFault>>) => {
    const end = metrics.duration.startTimer({ operation });
    const answer = await work();
    end();
    metrics.operations.inc({ operation, outcome: answer.ok ? 'ok' : answer.error });
    judge(answer.ok);
    return answer;
  };

  /** Beside the call that finds it due: while the backend is slow, looking must not be what makes a call slow. */
  const lookIfDue = (): void => {
    if (lookAtMs === undefined || nowMs() < lookAtMs) return;
    lookAtMs = Number.POSITIVE_INFINITY;
    void attempt('read', () => state.read(PROBE_KEY));
  };

  const ask = async <T>(
    operation: Operation,
    work: () => Promise<Result<T, SharedFault>>,
  ): Promise<Result<T, SharedFault>> => {
    if (lookAtMs === undefined) return attempt(operation, work);
    lookIfDue();
    metrics.operations.inc({ operation, outcome: 'skipped' });
    return err('unavailable');
  };

  return {
    read: (key) => ask('read', () => state.read(key)),
    write: (key, entry) => ask('write', () => state.write(key, entry)),
    remove: (key) => ask('remove', () => state.remove(key)),
    removeOwned: (owner) => ask('removeOwned', () => state.removeOwned(owner)),
    claim: (key, lease) => ask('claim', () => state.claim(key, lease)),
    release: (key, holder) => ask('release', () => state.release(key, holder)),
    stop: () => state.stop(),
    isUp: () => lookAtMs === undefined,
  };
};
