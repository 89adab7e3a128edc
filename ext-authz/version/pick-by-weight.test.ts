import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VersionWeight } from '#core/traffic-split.ts';
import { pickByWeight } from '#ext-authz/version/pick-by-weight.ts';

const CALLERS = Array.from({ length: 10_000 }, (_, index) => ['acme', 'tracker', `caller-${index}`]);

const w = (...weights: readonly (readonly [string, number])[]): readonly VersionWeight[] =>
  weights.map(([version, weight]) => ({ version, weight }));

const shareOf = (version: string, weights: readonly VersionWeight[]): number =>
  CALLERS.filter((caller) => pickByWeight(weights, caller) === version).length / CALLERS.length;

describe('pickByWeight()', () => {
  it.each([
    [w(['1', 95], ['2', 5]), '2', 0.05],
    [w(['1', 1], ['2', 1]), '2', 0.5],
    [w(['1', 1], ['2', 2], ['3', 7]), '3', 0.7],
    [w(['1', 9_999], ['2', 1]), '2', 0.0001],
  ] as const)('gives a version its share of callers: %j', (weights, version, share) => {
    // Five standard deviations of ten thousand draws: a right share is never outside.
    const deviation = 5 * Math.sqrt((share * (1 - share)) / CALLERS.length);
    expect(Math.abs(shareOf(version, weights) - share)).toBeLessThanOrEqual(deviation);
  });

  it('gives a version of weight 0 nobody, and nothing where all are 0', () => {
    expect(shareOf('2', w(['1', 1], ['2', 0]))).toBe(0);
    expect(pickByWeight(w(['1', 0]), ['a'])).toBeUndefined();
    expect(pickByWeight([], ['a'])).toBeUndefined();
  });

  it('moves callers to a version whose share grows, and none away from it', () => {
    const [five, ten] = [w(['1', 95], ['2', 5]), w(['1', 90], ['2', 10])];
    const had = CALLERS.filter((caller) => pickByWeight(five, caller) === '2');
    expect(had.length).toBeGreaterThan(0);
    expect(had.every((caller) => pickByWeight(ten, caller) === '2')).toBe(true);
  });

  const weightsOf = fc
    .uniqueArray(fc.stringMatching(/^[a-z0-9.]{1,8}$/), { minLength: 1, maxLength: 6 })
    .chain((versions) => {
      const one = fc.array(fc.integer({ min: 0, max: 10_000 }), {
        minLength: versions.length,
        maxLength: versions.length,
      });
      return fc.tuple(fc.constant(versions), one, one);
    });

  it('whatever the weights, a caller moves only towards weight that grew more than the one he leaves', () => {
    fc.assert(
      fc.property(weightsOf, fc.string(), ([versions, before, after], caller) => {
        const at = (weights: readonly number[]) =>
          versions.map((version, index) => ({ version, weight: weights[index] ?? 0 }));
        const [from, to] = [pickByWeight(at(before), [caller]), pickByWeight(at(after), [caller])];
        if (from === undefined || to === undefined || from === to) return;
        const growth = (version: string): number => {
          const index = versions.indexOf(version);
          return (after[index] ?? 0) / (before[index] ?? 0);
        };
        expect(growth(to)).toBeGreaterThan(growth(from));
      }),
    );
  });

  it('does not look at the order of the list, nor at a common factor', () => {
    fc.assert(
      fc.property(weightsOf, fc.string(), ([versions, before], caller) => {
        const weights = versions.map((version, index) => ({ version, weight: before[index] ?? 0 }));
        const chosen = pickByWeight(weights, [caller]);
        expect(pickByWeight(weights.toReversed(), [caller])).toBe(chosen);
        const doubled = weights.map(({ version, weight }) => ({ version, weight: weight * 2 }));
        expect(pickByWeight(doubled, [caller])).toBe(chosen);
      }),
    );
  });

  it('draws anew for every server: who is early on one is not early on all', () => {
    const half = w(['1', 1], ['2', 1]);
    const other = CALLERS.map(([tenant = '', , caller = '']) => [tenant, 'other', caller]);
    const both = CALLERS.filter(
      (caller, index) => pickByWeight(half, caller) === '2' && pickByWeight(half, other[index] ?? []) === '2',
    );
    expect(both.length / CALLERS.length).toBeCloseTo(0.25, 1);
  });
});
