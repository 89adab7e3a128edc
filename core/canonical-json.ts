// One text for one JSON value, whatever order its keys came in: for digests, and for telling values apart in a map.

import { isJsonObject } from '#core/json.ts';

/** The value as JSON without spaces, keys sorted at every depth; undefined members count as absent ones. */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
};
