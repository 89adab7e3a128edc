// Equality of JSON values. What two states of a tenant share are the same objects, so comparing them costs nothing.

import { isJsonObject } from '#core/json.ts';

const isSameArray = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, at) => isSameJson(item, b[at]));

type Members = Readonly<Record<string, unknown>>;

/** Undefined members count as absent ones: JSON cannot tell them apart. */
const countMembers = (value: Members): number => {
  let count = 0;
  for (const name of Object.keys(value)) if (value[name] !== undefined) count += 1;
  return count;
};

/** Own members only: `toString` is no member of an object that came without one. */
const isSameObject = (a: Members, b: Members): boolean => {
  let count = 0;
  for (const name of Object.keys(a)) {
    if (a[name] === undefined) continue;
    if (!Object.hasOwn(b, name) || !isSameJson(a[name], b[name])) return false;
    count += 1;
  }
  return count === countMembers(b);
};

/** Whether both would be one JSON document; the order of keys does not count. Absent is not null. */
export const isSameJson = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return isSameArray(a, b);
  return isJsonObject(a) && isJsonObject(b) && isSameObject(a, b);
};
