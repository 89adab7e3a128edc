// JSON Pointer (RFC 6901) into the arguments of a call, resolved here rather than in Rego: only what a constraint
// looks at then has to be sent to the policy. Pure.

import { isJsonObject, type Json } from '#core/json.ts';
import { findKeyVariant } from '#core/key-variant.ts';
import { err, ok, type Result } from '#core/result.ts';

const ARRAY_INDEX = /^(?:0|[1-9]\d{0,15})$/;
const BAD_ESCAPE = /~(?![01])/;

/** The reference tokens of a pointer, unescaped; the error is a sentence. The empty pointer has none. */
export const parsePointer = (pointer: string): Result<readonly string[], string> => {
  if (pointer === '') return ok([]);
  if (!pointer.startsWith('/')) return err('a JSON Pointer begins with "/" or is empty');
  if (BAD_ESCAPE.test(pointer)) return err('in a JSON Pointer "~" is written ~0 and "/" ~1');
  // `~01` must become `~1`, so the tilde is restored last (RFC 6901 §4).
  const tokens = pointer.slice(1).split('/');
  return ok(tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')));
};

const step = (value: Json, token: string): Json | undefined => {
  if (Array.isArray(value)) return ARRAY_INDEX.test(token) ? value[Number(token)] : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  // Own members only: `/__proto__` and `/constructor` lead nowhere unless the caller sent them.
  return Object.hasOwn(value, token) ? (value as { readonly [key: string]: Json })[token] : undefined;
};

/** The value the tokens lead to; undefined where they lead nowhere. */
export const findByPointer = (value: Json, tokens: readonly string[]): Json | undefined => {
  let current: Json | undefined = value;
  for (const token of tokens) {
    if (current === undefined) return undefined;
    current = step(current, token);
  }
  return current;
};

/**
 * The first member on the way of the tokens that is written like one of them but in another case: a server that
 * matches keys without regard to case would find a value there that was never looked at.
 */
export const findVariantOnPath = (value: Json, tokens: readonly string[]): string | undefined => {
  let current: Json | undefined = value;
  for (const token of tokens) {
    const variant = isJsonObject(current) ? findKeyVariant(current, [token]) : undefined;
    if (variant !== undefined || current === undefined) return variant;
    current = step(current, token);
  }
  return undefined;
};
