// Whether two keys of callers are of one person, for rules that want two. A directory of Entra signs tokens of two versions, and
// each version has an issuer of its own: one who signs in by both has two keys (`principalKey`).

/** `[issuer, directory, object id]` without the issuer; undefined for a key that names no object of a directory. */
const objectOf = (principal: string): string | undefined => {
  try {
    const parts: unknown = JSON.parse(principal);
    return Array.isArray(parts) && parts.length === 3
      ? JSON.stringify(parts.slice(1)).toLowerCase()
      : undefined;
  } catch {
    return undefined;
  }
};

/** True for equal keys, and for two of one object of a directory, whoever the issuer is. */
export const isSamePerson = (one: string, other: string): boolean => {
  const object = objectOf(one);
  return one === other || (object !== undefined && object === objectOf(other));
};
