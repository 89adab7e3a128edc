// Equality of JSON values. What two states of a tenant share are the same objects, so comparing them costs nothing.

import { isJsonObject } from '#core/json.ts';

const isSameArray = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, at) => isSameJson(item, b[at]));

type Members = Readonly<Record<string, unknown>>;

/** Undefined members count as absent ones: JSON cannot tell them apart. */
const namesOf = (value: Members): readonly string[] =>
  Object.keys(value).filter((name) => value[name] !== undefined);

/** Own members only: `toString` is no member of an object that came without one. */
const isSameObject = (a: Members, b: Members): boolean => {
  const names = namesOf(a);
  return (
    names.length === namesOf(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSameJson(a[name], b[name]))
  );
};

/** Whether both would be one JSON document; the order of keys does not count. Absent is not null. */
export const isSameJson = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) return isSameArray(a, b);
  return isJsonObject(a) && isJsonObject(b) && isSameObject(a, b);
};
