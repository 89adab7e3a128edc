// JSON Merge Patch (RFC 7396): null removes, an object goes deeper, anything else replaces.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';

/** The target with the patch applied. Neither is changed, and no key of either becomes a prototype. */
export const mergePatch = (target: Json | undefined, patch: Json): Json => {
  if (!isJsonObject(patch)) return patch;
  const merged = new Map<string, Json>(Object.entries(isJsonObject(target) ? (target as JsonObject) : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
};
