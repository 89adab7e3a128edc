// A claim of a token by its name or its path. Pure; whether the token is to be believed is for others.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';

/** Deeper than any provider nests its claims. */
const MAX_DEPTH = 8;

/** RFC 6901, members only: a claim's place in an array is nobody's promise. */
const POINTER = new RegExp(`^(?:/(?:[^~/]|~[01])+){1,${MAX_DEPTH}}$`);

/** True for what `findClaim` can follow: any name, or a JSON Pointer of eight steps at most. */
export const isClaimPath = (name: string): boolean => !name.startsWith('/') || POINTER.test(name);

// `~01` must become `~1`, so the tilde is restored last (RFC 6901 §4).
const withoutEscapes = (step: string): string => step.replaceAll('~1', '/').replaceAll('~0', '~');

const follow = (payload: JsonObject, steps: readonly string[]): Json | undefined => {
  let value: Json | undefined = payload;
  for (const step of steps) {
    // Own members only: `/__proto__` and `/constructor` lead nowhere unless the issuer wrote them.
    if (!isJsonObject(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
};

/**
 * A claim by its name. `/realm_access/roles` is a JSON Pointer (RFC 6901) and nothing else; `realm_access.roles` is
 * looked for as a member of that very name first (claims named by URL hold dots), then as a path.
 */
export const findClaim = (payload: JsonObject, name: string): Json | undefined => {
  if (name.startsWith('/'))
    return isClaimPath(name) ? follow(payload, name.slice(1).split('/').map(withoutEscapes)) : undefined;
  return Object.hasOwn(payload, name) ? payload[name] : follow(payload, name.split('.'));
};
