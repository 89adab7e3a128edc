// JSON Pointer (RFC 6901) as rules for answers write it: `*` as a token stands for every element or member.

import { isJsonObject, type Json } from '#core/json.ts';

/** Deeper than any answer that is read (`RESPONSE_RULES`, strict-json.ts). */
const MAX_TOKENS = 64;

const MAX_LENGTH = 1_024;

const POINTER = new RegExp(`^(?:/(?:[^~/]|~[01])*){0,${MAX_TOKENS}}$`, 'u');

export type PointerTokens = readonly string[];

/** @returns undefined for what is no pointer, or one that leads deeper than any answer. */
export const parsePointer = (pointer: string): PointerTokens | undefined =>
  pointer.length <= MAX_LENGTH && POINTER.test(pointer)
    ? pointer
        .split('/')
        .slice(1)
        .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    : undefined;

export type PointedPlace = { readonly path: readonly (string | number)[]; readonly value: Json };

const INDEX = /^(?:0|[1-9]\d{0,8})$/;

const stepsInto = (value: Json, token: string): readonly (readonly [string | number, Json])[] => {
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    if (token === '*') return items.map((item, at) => [at, item]);
    const item = INDEX.test(token) ? items[Number(token)] : undefined;
    return item === undefined ? [] : [[Number(token), item]];
  }
  if (!isJsonObject(value)) return [];
  if (token === '*') return Object.entries(value);
  // Own members only: `/__proto__` leads nowhere unless the document itself says so.
  return Object.hasOwn(value, token) ? [[token, value[token] as Json]] : [];
};

/** Every place a pointer leads to; none where it leads nowhere. */
export const placesOf = (root: Json, tokens: PointerTokens): readonly PointedPlace[] => {
  let places: readonly PointedPlace[] = [{ path: [], value: root }];
  for (const token of tokens)
    places = places.flatMap(({ path, value }) =>
      stepsInto(value, token).map(([step, found]) => ({ path: [...path, step], value: found })),
    );
  return places;
};
