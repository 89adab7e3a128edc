// Members that differ from a judged one only in the way they are written. Some servers match JSON keys without regard
// to case or with Unicode folding (Go's encoding/json does): `Name` beside `name` is a second, unjudged name there.

import type { JsonObject } from '#core/json.ts';

// Upper-casing first folds `ſ` to s and `ı` to i, lower-casing then folds the Kelvin sign to k; NFKC undoes full width.
const fold = (key: string): string => key.normalize('NFKC').toUpperCase().toLowerCase();

/**
 * Whether folding is worth its cost, which a long key can multiply (`ﷺ` becomes eighteen characters). A key shrinks to
 * a quarter at most: `𝐧` to one UTF-16 unit, three jamo to one syllable.
 */
const canFoldTo = (key: string, longest: number): boolean => key.length <= 4 * longest;

/** The first key of `object` that folds to one of `judged` without being it. */
export const findCaseVariant = (object: JsonObject, judged: readonly string[]): string | undefined => {
  const folded = new Set(judged.map(fold));
  const longest = Math.max(...judged.map((key) => key.length));
  return Object.keys(object).find(
    (key) => canFoldTo(key, longest) && !judged.includes(key) && folded.has(fold(key)),
  );
};
