// Every text of a JSON value with its place: strings, and the keys of objects, which a model reads as well.

import { isJsonObject, type Json } from '#core/json.ts';
import { pointerTo } from '#registry/manifest/lint/finding.ts';

export type PlacedText = { readonly pointer: string; readonly text: string };

/** Texts of `value`, outer before inner. The depth is bounded by the parser the value came from. */
export function* textsOf(value: Json, pointer: string): Generator<PlacedText> {
  if (typeof value === 'string') yield { pointer, text: value };
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* textsOf(item as Json, pointerTo(pointer, index));
  } else if (isJsonObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      const at = pointerTo(pointer, key);
      yield { pointer: at, text: key };
      yield* textsOf(member, at);
    }
  }
}
