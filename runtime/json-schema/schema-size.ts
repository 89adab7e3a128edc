// How large a schema may be. It is somebody else's text, and is read before anything is made of it.

import { isJsonObject, type Json } from '#core/json.ts';
import { unusable } from '#runtime/json-schema/unusable.ts';

/** Values in it at any depth; making one ready takes about a microsecond. */
const MAX_VALUES = 20_000;
const MAX_CHARACTERS = 512 * 1024;
/** Below what the recursion that makes it ready could bear. */
const MAX_DEPTH = 64;

/** Throws UnusableSchema. Objects with a member `__proto__` are unusable too: not every reader finds the same in them. */
export const surveySize = (schema: Json): void => {
  let [values, characters] = [0, 0];
  const look = (value: Json, depth: number): void => {
    values += 1;
    if (typeof value === 'string') characters += value.length;
    if (depth > MAX_DEPTH || values > MAX_VALUES || characters > MAX_CHARACTERS) unusable('size');
    if (Array.isArray(value)) for (const item of value as readonly Json[]) look(item, depth + 1);
    else if (isJsonObject(value)) lookInto(value, depth);
  };
  const lookInto = (value: { readonly [key: string]: Json }, depth: number): void => {
    for (const [key, member] of Object.entries(value)) {
      if (key === '__proto__') unusable('keyword');
      characters += key.length;
      look(member, depth + 1);
    }
  };
  look(schema, 0);
};
