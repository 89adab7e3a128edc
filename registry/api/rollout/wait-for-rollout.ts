// Waits until a revision is applied or refused, or until the time is up. Asks again whenever a consumer reports, and
// now and then, because time alone makes an absent consumer stop counting.

import type { ApiContext } from '#registry/api/context.ts';
import { placeOfRevision } from '#registry/api/rollout/place.ts';
import { assessRollout, type Rollout } from '#registry/rollout/assess.ts';

/** Reports at other replicas wake nobody here. */
const LOOK_AGAIN_MS = 250;

export type RolloutWait = {
  readonly tenantId: string;
  readonly revision: number;
  /** Milliseconds, by a clock that nobody sets. */
  readonly limitMs: number;
  /** Ends the wait early: the registry stops. */
  readonly signal?: AbortSignal;
};

type Reports = { readonly next: (ms: number) => Promise<void>; readonly end: () => void };

/** A report that comes between two questions is not missed: the next question is then asked at once. */
const followReports = ({ onReport }: ApiContext, signal: AbortSignal | undefined): Reports => {
  let reported = false;
  const note = (): void => {
    reported = true;
  };
  let hear = note;
  const end = onReport(() => hear());
  const next = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', wake);
        hear = note;
        resolve();
      };
      const timer = setTimeout(wake, reported ? 0 : ms);
      signal?.addEventListener('abort', wake);
      reported = false;
      hear = wake;
    });
  return { next, end };
};

const assess = async (context: ApiContext, { tenantId, revision }: RolloutWait): Promise<Rollout> => {
  // Read each time: a revision that follows decides what of a refusal is this one's.
  const place = await placeOfRevision(context.store, tenantId, revision);
  if (place === undefined) return { state: 'pending', consumers: [] };
  return assessRollout(await context.consumers(), { tenantId, place, nowMs: context.nowMs() });
};

const isOver = ({ state }: Rollout): boolean => state !== 'pending';

/**
 * The rollout as it stands when it is over, or when the time is up: then it is still `pending`.
 * @param isEnough ends the wait; absent: that the rollout is over.
 * @throws GatewayError `store_failed`.
 */
export const waitForRollout = async (
  context: ApiContext,
  wait: RolloutWait,
  isEnough: (rollout: Rollout) => boolean = isOver,
): Promise<Rollout> => {
  const { limitMs, signal } = wait;
  const deadlineMs = performance.now() + limitMs;
  const reports = followReports(context, signal);
  try {
    for (;;) {
      const rollout = await assess(context, wait);
      const leftMs = deadlineMs - performance.now();
      if (isEnough(rollout) || leftMs <= 0 || signal?.aborted === true) return rollout;
      await reports.next(Math.min(leftMs, LOOK_AGAIN_MS));
    }
  } finally {
    reports.end();
  }
};
