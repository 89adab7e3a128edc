// A claim of a token by its name. Pure; whether the token is to be believed is for others.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';

/**
 * A claim by its name; `realm_access.roles` is looked for as a member of that very name first (claims named by URL
 * hold dots), then as a path.
 */
export const findClaim = (payload: JsonObject, name: string): Json | undefined => {
  if (Object.hasOwn(payload, name)) return payload[name];
  let value: Json | undefined = payload;
  for (const step of name.split('.')) {
    if (!isJsonObject(value) || !Object.hasOwn(value, step)) return undefined;
    value = value[step];
  }
  return value;
};
