// Members that differ from a judged one only in the way they are written. Some servers match JSON keys without regard
// to case or with Unicode folding (Go's encoding/json does): `Name` beside `name` is a second, unjudged name there.

import type { JsonObject } from '#core/json.ts';

// Upper-casing first folds `ſ` to s and `ı` to i, lower-casing then folds the Kelvin sign to k; NFKC undoes full width.
const fold = (key: string): string => key.normalize('NFKC').toUpperCase().toLowerCase();

/** The first key of `object` that folds to one of `judged` without being it. */
export const findCaseVariant = (object: JsonObject, judged: readonly string[]): string | undefined => {
  const folded = new Set(judged.map(fold));
  return Object.keys(object).find((key) => !judged.includes(key) && folded.has(fold(key)));
};
