// How long a rollout is waited for: so long and no longer, whatever becomes of the calendar meanwhile.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ApiContext } from '#registry/api/context.ts';
import { waitForRollout } from '#registry/api/rollout/wait-for-rollout.ts';

const LIMIT_MS = 10_000;
const HOUR_MS = 3_600_000;

/** Nobody is connected, so nothing is ever applied. */
const context = {
  store: { listRevisions: async () => [] },
  consumers: async () => [],
  onReport: () => () => undefined,
  nowMs: () => Date.now(),
} as unknown as ApiContext;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('waitForRollout()', () => {
  it.each([
    ['back', -HOUR_MS],
    ['forward', HOUR_MS],
  ])('ends when its time is up, though the clock was set %s', async (_way, stepMs) => {
    const ended = vi.fn<(state: string) => void>();
    const wait = { tenantId: 'acme', revision: 1, limitMs: LIMIT_MS };
    void waitForRollout(context, wait).then(({ state }) => ended(state));
    await vi.advanceTimersByTimeAsync(LIMIT_MS / 2);
    vi.setSystemTime(Date.now() + stepMs);
    await vi.advanceTimersByTimeAsync(LIMIT_MS / 2 - 1_000);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(ended).toHaveBeenCalledExactlyOnceWith('pending');
  });
});
