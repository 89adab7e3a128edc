import { describe, expect, it } from 'vitest';
import { addedRatio } from '#test/bench/groups/call-rows.ts';

describe('what is added to a floor, as a ratio', () => {
  it('is not made small by a peer that was measured below the floor', () => {
    expect(addedRatio(6, -0.2)).toBeGreaterThan(100);
    expect(addedRatio(6, 0)).toBeGreaterThan(100);
  });

  it('is what it is where the peer adds something, and below nothing where ours adds less than that', () => {
    expect(addedRatio(0.3, 1)).toBeCloseTo(0.3);
    expect(addedRatio(-0.1, 1)).toBeLessThan(0);
  });
});
