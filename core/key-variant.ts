// Keys that some reader takes for one we judge, though they are written differently: what stands under them would be
// read there without having been judged here.

import type { JsonObject } from '#core/json.ts';

// Some readers match keys without regard to case or with Unicode folding (Go's encoding/json does). Upper-casing first
// folds `ſ` to s and `ı` to i, lower-casing then folds the Kelvin sign to k; NFKC undoes full width.
const fold = (key: string): string => key.normalize('NFKC').toUpperCase().toLowerCase();

/**
 * Whether folding is worth its cost, which a long key can multiply: `ﷺ` becomes eighteen characters, and sorting
 * combining marks takes quadratic time, minutes for a megabyte. A key shrinks to a quarter at most: `𝐧` to one UTF-16
 * unit, three jamo to one syllable.
 */
const canFoldTo = (key: string, longest: number): boolean => key.length <= 4 * longest;

/** A reader that copies members one by one sets the prototype with it, and finds its members as if they stood here. */
const PROTOTYPE = '__proto__';

/** The first key of `object` that can be read as one of `judged` without being it. */
export const findKeyVariant = (object: JsonObject, judged: readonly string[]): string | undefined => {
  // Most objects have no other keys than those, and a list has a thousand of them: for these nothing is folded.
  const others = Object.keys(object).filter((key) => !judged.includes(key));
  if (others.length === 0) return undefined;
  const folded = new Set(judged.map(fold));
  const longest = Math.max(...judged.map((key) => key.length));
  return others.find((key) => key === PROTOTYPE || (canFoldTo(key, longest) && folded.has(fold(key))));
};
