import { describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import { createStrikes, SLOW_MS } from '#ext-authz/policy/strikes.ts';
import type { Asked } from '#ext-authz/policy/tenant-engine.ts';

const answered = (ms: number): Asked => ok({ results: [], ms, memoryBytes: 0, renewed: false });
const SLOW = answered(SLOW_MS + 1);
const QUICK = answered(SLOW_MS);
const failed = (kind: 'threw' | 'overdue' | 'crashed' | 'busy' | 'stopped'): Asked =>
  err({ kind, message: '' });

/** After which of these the policy is out; 0 for none. */
const outAfter = (asked: readonly Asked[]): number => {
  const strikes = createStrikes();
  return asked.findIndex((each) => strikes.take(each)) + 1;
};

const times = (count: number, ...asked: readonly Asked[]): readonly Asked[] =>
  Array.from({ length: count }, () => asked).flat();

describe('strikes', () => {
  it('are out at twenty slow evaluations in a row', () => {
    expect(outAfter(times(40, SLOW))).toBe(20);
  });

  it('bear a slow one in fifty for ever', () => {
    expect(outAfter(times(1_000, SLOW, ...times(50, QUICK)))).toBe(0);
  });

  it('do not bear one in ten', () => {
    expect(outAfter(times(1_000, SLOW, ...times(9, QUICK)))).toBeGreaterThan(200);
  });

  it.each(['overdue', 'crashed'] as const)('are out at the third that was %s, and forgive two', (kind) => {
    expect(outAfter(times(5, failed(kind)))).toBe(3);
    expect(outAfter([...times(2, failed(kind)), ...times(800, QUICK), failed(kind)])).toBe(0);
  });

  it.each(['threw', 'busy', 'stopped'] as const)('are not for a question that %s', (kind) => {
    expect(outAfter(times(1_000, failed(kind)))).toBe(0);
  });

  it('are told once', () => {
    const strikes = createStrikes();
    expect(times(100, SLOW).filter((asked) => strikes.take(asked))).toHaveLength(1);
  });
});
