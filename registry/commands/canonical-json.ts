// One text for one value: keys sorted at every depth, so that equality does not depend on who wrote an object first.

import { isJsonObject } from '#core/json.ts';

const sortKeys = (_key: string, value: unknown): unknown =>
  isJsonObject(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** JSON with sorted keys; absent and undefined members are the same, and an absent value is no JSON at all. */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, sortKeys) ?? 'absent';

export const isSameJson = (a: unknown, b: unknown): boolean =>
  a === b || canonicalJson(a) === canonicalJson(b);
