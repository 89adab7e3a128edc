// Chance that is the same each time: for one key in one process. Pure.

/** Primes of FNV-1a, which spreads short texts well enough and costs a tenth of a microsecond. */
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
const RANGE = 2 ** 32;

/**
 * A number from 0 to 1 for a key.
 * @param salt from 0 to 1, another in each process: so that those that have the same key do not act on it at one instant.
 */
export const spreadOf = (key: string, salt: number): number => {
  let hash = OFFSET;
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), PRIME) >>> 0;
  }
  return (hash / RANGE + salt) % 1;
};
