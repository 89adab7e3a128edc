// Numbers of payment cards: the lengths and prefixes of issuers that are in use, and Luhn's check digit.

import { hasLuhn } from '#ext-proc/sanitation/detectors/pii/check-digits.ts';
import type { NumberShape } from '#ext-proc/sanitation/detectors/pii/number-runs.ts';

/** First digits from and to, lengths. */
type Issued = readonly [from: number, to: number, ...lengths: readonly number[]];

/** Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay, Maestro; by their first four digits. */
const ISSUED: readonly Issued[] = [
  [4000, 4999, 13, 16, 19],
  [5100, 5599, 16],
  [2221, 2720, 16],
  [3400, 3499, 15],
  [3700, 3799, 15],
  [6011, 6011, 16, 19],
  [6440, 6599, 16, 19],
  [3528, 3589, 16, 19],
  [3000, 3059, 14, 16],
  [3090, 3099, 14, 16],
  [3600, 3699, 14, 16],
  [3800, 3999, 14, 16],
  [6200, 6299, 16, 17, 18, 19],
  ...[5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763].map(
    (first): Issued => [first, first, 13, 16, 19],
  ),
];

const FIRST_DIGITS = 4;

/** By first four digits: a bit for each length. Wherever four digits stand in a text, this is asked. */
const LENGTHS = new Uint32Array(10 ** FIRST_DIGITS);
for (const [from, to, ...lengths] of ISSUED)
  for (let first = from; first <= to; first += 1)
    for (const length of lengths) LENGTHS[first] = (LENGTHS[first] ?? 0) | (1 << length);

const isIssued = (digits: string): boolean => {
  let first = 0;
  for (let at = 0; at < FIRST_DIGITS; at += 1) first = 10 * first + digits.charCodeAt(at) - 48;
  return ((LENGTHS[first] ?? 0) & (1 << digits.length)) !== 0;
};

const isCard = (digits: string): boolean => isIssued(digits) && hasLuhn(digits);

const GROUPS: readonly (readonly number[])[] = [
  ...[13, 14, 15, 16, 17, 18, 19].map((length) => [length]),
  [4, 4, 4, 4],
  [4, 4, 4, 4, 3],
  [4, 6, 5],
  [4, 6, 4],
];

export const CARDS: readonly NumberShape[] = GROUPS.map((groups) => ({
  groups,
  signs: ' -',
  isValid: isCard,
}));
