// Members that differ from one we judge only in how they are written. Some clients match JSON keys without regard to
// case or with Unicode folding (Go's encoding/json did): `Tools` beside `tools` is a second, uncut list to them.

import type { JsonObject } from '#core/json.ts';

// Upper-casing first folds `ſ` to s, lower-casing then the Kelvin sign to k; NFKC undoes full width.
const fold = (key: string): string => key.normalize('NFKC').toUpperCase().toLowerCase();

/** True if a key of `object` folds to one of `judged` without being it. */
export const hasKeyVariant = (object: JsonObject, judged: readonly string[]): boolean => {
  const folded = new Set(judged.map(fold));
  return Object.keys(object).some((key) => !judged.includes(key) && folded.has(fold(key)));
};
