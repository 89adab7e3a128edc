// How long a rollout is waited for: so long and no longer, whatever becomes of the calendar meanwhile.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiContext } from '#registry/api/context.ts';
import { waitForRollout } from '#registry/api/rollout/wait-for-rollout.ts';

const LIMIT_MS = 10_000;
const HOUR_MS = 3_600_000;

const listRevisions = vi.fn(async () => []);
let report = (): void => undefined;

/** Nobody is connected, so nothing is ever applied. */
const context = {
  store: { listRevisions },
  consumers: async () => [],
  onReport: (listener: () => void) => {
    report = listener;
    return () => undefined;
  },
  nowMs: () => Date.now(),
} as unknown as ApiContext;

const wait = { tenantId: 'acme', revision: 1, limitMs: LIMIT_MS };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('waitForRollout()', () => {
  it.each([
    ['back', -HOUR_MS],
    ['forward', HOUR_MS],
  ])('ends when its time is up, though the clock was set %s', async (_way, stepMs) => {
    const ended = vi.fn<(state: string) => void>();
    void waitForRollout(context, wait).then(({ state }) => ended(state));
    await vi.advanceTimersByTimeAsync(LIMIT_MS / 2);
    vi.setSystemTime(Date.now() + stepMs);
    await vi.advanceTimersByTimeAsync(LIMIT_MS / 2 - 1_000);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ended).toHaveBeenCalledExactlyOnceWith('pending');
  });

  it('looks once for each report, also for one that comes while it looks', async () => {
    void waitForRollout(context, wait);
    await vi.advanceTimersByTimeAsync(0);
    listRevisions.mockClear();
    report();
    await vi.advanceTimersByTimeAsync(0);
    expect(listRevisions).toHaveBeenCalledTimes(1);
    listRevisions.mockImplementationOnce(async () => {
      report();
      return [];
    });
    report();
    await vi.advanceTimersByTimeAsync(0);
    expect(listRevisions).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(LIMIT_MS);
  });
});
