// Numbers of payment cards: the lengths and prefixes of issuers that are in use, and Luhn's check digit.

import { hasLuhn } from '#ext-proc/sanitation/detectors/pii/check-digits.ts';
import type { NumberShape } from '#ext-proc/sanitation/detectors/pii/number-runs.ts';

type Issuer = { readonly prefix: RegExp; readonly lengths: readonly number[] };

/** Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay, Maestro. */
const ISSUERS: readonly Issuer[] = [
  { prefix: /^4/, lengths: [13, 16, 19] },
  { prefix: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { prefix: /^3[47]/, lengths: [15] },
  { prefix: /^6(?:011|4[4-9]|5)/, lengths: [16, 19] },
  { prefix: /^35(?:2[89]|[3-8])/, lengths: [16, 19] },
  { prefix: /^3(?:0[0-5]|09|[689])/, lengths: [14, 16] },
  { prefix: /^62/, lengths: [16, 17, 18, 19] },
  { prefix: /^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, lengths: [13, 16, 19] },
];

const isCard = (digits: string): boolean =>
  hasLuhn(digits) &&
  ISSUERS.some(({ prefix, lengths }) => lengths.includes(digits.length) && prefix.test(digits));

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
