// Precedence of semantic versions (SemVer 2.0.0 §11): which of two manifests is the newer one.

const FORM = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/;

type Parts = { readonly core: readonly string[]; readonly prerelease: readonly string[] };

const parse = (text: string): Parts | undefined => {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  return { core: match.slice(1, 4).map((part) => part ?? '0'), prerelease: match[4]?.split('.') ?? [] };
};

const isNumeric = (identifier: string): boolean => /^\d+$/.test(identifier);

// BigInt: 99999999999999999999 and its successor are one number to a double, and would be no step forward.
const compareNumbers = (a: string, b: string): number => {
  const [left, right] = [BigInt(a), BigInt(b)];
  return left === right ? 0 : left < right ? -1 : 1;
};

const compareIdentifiers = (a: string, b: string): number => {
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b);
  if (isNumeric(a) !== isNumeric(b)) return isNumeric(a) ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
};

const comparePrereleases = (a: readonly string[], b: readonly string[]): number => {
  if (a.length === 0 || b.length === 0) return Math.sign(b.length - a.length);
  for (const [index, left] of a.entries()) {
    const right = b[index];
    if (right === undefined) return 1;
    const order = compareIdentifiers(left, right);
    if (order !== 0) return order;
  }
  return a.length === b.length ? 0 : -1;
};

const compareParts = (a: Parts, b: Parts): number => {
  for (const [index, left] of a.core.entries()) {
    const order = compareNumbers(left, b.core[index] ?? '0');
    if (order !== 0) return order;
  }
  return comparePrereleases(a.prerelease, b.prerelease);
};

/**
 * The first of `published` that `version` is not higher than. Build metadata does not count. Names without precedence,
 * which an admin may have chosen, stand against nothing.
 */
export const findNotLower = (version: string, published: readonly string[]): string | undefined => {
  const own = parse(version);
  if (own === undefined) return undefined;
  return published.find((name) => {
    const other = parse(name);
    return other !== undefined && compareParts(own, other) <= 0;
  });
};
