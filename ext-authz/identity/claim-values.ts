// Reading claims by name and shape. A claim of the wrong shape is an error, never an empty list: "no groups" and
// "groups I cannot read" must not look alike. Pure.

import { findClaim } from '#core/find-claim.ts';
import type { Json, JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';

/** More values than any directory writes into a token (Entra: 200 groups). */
const MAX_VALUES = 2_000;

/** Longest text that is kept of a claim made for people. */
const MAX_DISPLAY_LENGTH = 200;

/** A claim that is a text of at least one character. */
export const findText = (payload: JsonObject, name: string): string | undefined => {
  const value = findClaim(payload, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** A text for screens and logs, cut. */
export const findDisplayText = (payload: JsonObject, name: string): string | undefined =>
  findText(payload, name)?.slice(0, MAX_DISPLAY_LENGTH);

const isTextList = (value: Json): value is readonly string[] =>
  Array.isArray(value) && value.length <= MAX_VALUES && value.every((item) => typeof item === 'string');

/** A list of texts; one text alone is a list of one. @returns empty where absent, the claim's name where it is something else. */
export const parseTextList = (payload: JsonObject, name: string): Result<readonly string[], string> => {
  const value = findClaim(payload, name);
  if (value === undefined) return ok([]);
  if (typeof value === 'string') return ok(value === '' ? [] : [value]);
  return isTextList(value) ? ok(value) : err(name);
};

/** Scopes: a space-separated text (RFC 8693 §4.2, Entra's `scp`) or an array. */
export const parseScopes = (payload: JsonObject, name: string): Result<readonly string[], string> => {
  const list = parseTextList(payload, name);
  if (!list.ok) return list;
  // Entra writes "/" into tokens of agents that hold no scope at all.
  return ok(list.value.flatMap((item) => item.split(' ')).filter((scope) => scope !== '' && scope !== '/'));
};

/** Authentication context and methods, as far as they are texts: `acrs`, `amr`, `acr`. */
export const assuranceOf = (payload: JsonObject): readonly string[] =>
  ['acrs', 'amr', 'acr'].flatMap((name) => {
    const list = parseTextList(payload, name);
    return list.ok ? list.value : [];
  });
