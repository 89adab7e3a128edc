// Equality of JSON values. What two states of a tenant share are the same objects, so comparing them costs nothing.

import { isJsonObject } from '#core/json.ts';

const isSameArray = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, at) => isSameJson(item, b[at]));

/** Undefined members count as absent ones: JSON cannot tell them apart. */
const membersOf = (value: object): Map<string, unknown> =>
  new Map(Object.entries(value).filter(([, member]) => member !== undefined));

const isSameObject = (a: object, b: object): boolean => {
  const [left, right] = [membersOf(a), membersOf(b)];
  return left.size === right.size && [...left].every(([key, value]) => isSameJson(value, right.get(key)));
};

/** Whether both would be one JSON document; the order of keys does not count. Absent is not null. */
export const isSameJson = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return isSameArray(a, b);
  return isJsonObject(a) && isJsonObject(b) && isSameObject(a, b);
};
