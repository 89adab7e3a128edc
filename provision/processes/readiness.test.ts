// Unit tests of readiness.ts: a machine that boots sets its clock while its programs start.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitUntil } from '#provision/processes/readiness.ts';

const HOUR_MS = 3_600_000;

beforeEach(() => vi.useFakeTimers({ toFake: ['Date'] }));
afterEach(() => vi.useRealTimers());

/** Asks again after the clock was set, as a machine sets it that has just found out what time it is. */
const answerAfter = (questions: number, stepMs: number) => {
  let asked = 0;
  return async (): Promise<boolean> => {
    asked += 1;
    if (asked === 1) vi.setSystemTime(Date.now() + stepMs);
    return asked > questions;
  };
};

describe('waitUntil()', () => {
  const { signal } = new AbortController();

  it('has its whole time, though the clock is set forward', async () => {
    expect(await waitUntil(answerAfter(3, HOUR_MS), { deadlineMs: 10_000, signal })).toBe(true);
  });

  it('has no more than that, though the clock is set back', async () => {
    expect(await waitUntil(answerAfter(Infinity, -HOUR_MS), { deadlineMs: 100, signal })).toBe(false);
  });
});
