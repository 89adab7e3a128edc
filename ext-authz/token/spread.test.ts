// Chance that stays: even, and another for each process.

import { describe, expect, it } from 'vitest';
import { spreadOf } from '#ext-authz/token/spread.ts';

describe('spreadOf()', () => {
  it('is the same each time, from 0 to 1, and moved by the salt of the process', () => {
    expect(spreadOf('key', 0.25)).toBe(spreadOf('key', 0.25));
    expect(spreadOf('key', 0.5)).toBeCloseTo((spreadOf('key', 0) + 0.5) % 1);
  });

  it('spreads keys that differ in their last character over all of its range', () => {
    const tenths = Array<number>(10).fill(0);
    for (let index = 0; index < 10_000; index += 1) {
      const tenth = Math.floor(spreadOf(`key ${index}`, 0) * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(count).toBeGreaterThan(700);
  });
});
