// One of several versions for a caller, by weights: the same as long as the weights are, and with other weights another
// one only for as many callers as must move. Weighted rendezvous hashing (Schindelhauer and Schomaker, 2005): each
// version draws a number for the caller, and the weights decide between the draws.

import { createHash } from 'node:crypto';
import type { VersionWeight } from '#core/traffic-split.ts';

/** Bits of a digest that one number can hold exactly. */
const BYTES = 6;
const RANGE = 2 ** (8 * BYTES);

/** Uniform in 0 to 1, both left out; nobody can choose who draws what without choosing his own principal. */
const draw = (caller: readonly string[], version: string): number => {
  const digest = createHash('sha256')
    .update(JSON.stringify([...caller, version]))
    .digest();
  return (digest.readUIntBE(0, BYTES) + 0.5) / RANGE;
};

/** Exponentially distributed over the weight, so that the smallest of all is this version's with just its share. */
const lot = (caller: readonly string[], { version, weight }: VersionWeight): number =>
  -Math.log(draw(caller, version)) / weight;

/**
 * The version of a caller. Its share of all callers is its weight over the sum. A caller who moves when weights change
 * moves to a version whose weight grew more than that of the one he leaves, so shares that only grow are only joined;
 * the order of the list and a common factor of the weights mean nothing.
 * @param caller all that names the caller here; the same list gets the same version.
 * @returns undefined if no weight is above 0.
 */
export const pickByWeight = (
  weights: readonly VersionWeight[],
  caller: readonly string[],
): string | undefined => {
  const served = weights.filter(({ weight }) => weight > 0);
  if (served.length <= 1) return served[0]?.version;
  const lots = served.map((one) => ({ version: one.version, lot: lot(caller, one) }));
  return lots.reduce((first, other) => (other.lot < first.lot ? other : first)).version;
};
