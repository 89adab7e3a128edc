// Check digits of numbers: most of what only looks like one of them does not have the right ones.

const digitAt = (digits: string, at: number): number => digits.charCodeAt(at) - 48;

/** Sum of digits times weights. */
export const weighted = (digits: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, at) => sum + weight * digitAt(digits, at), 0);

/** ISO/IEC 7812-1, annex B. */
export const hasLuhn = (digits: string): boolean => {
  let sum = 0;
  for (let at = digits.length - 1, doubled = false; at >= 0; at -= 1, doubled = !doubled) {
    const value = digitAt(digits, at) * (doubled ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
};

/** ISO 7064, MOD 11,10: the last digit is the check. */
export const hasMod1110 = (digits: string): boolean => {
  let product = 10;
  for (let at = 0; at < digits.length - 1; at += 1) {
    const sum = (digitAt(digits, at) + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1);
};

/** What a capital or a digit adds to a rest of 97; a letter counts as two digits, A = 10. */
const withMod97 = (rest: number, code: number): number =>
  code < 65 ? (rest * 10 + code - 48) % 97 : (rest * 100 + code - 55) % 97;

/** ISO 7064, MOD 97-10 over capitals (A = 10) and digits, as IBANs have it (ISO 13616): the first four at the end. */
export const hasMod97 = (code: string): boolean => {
  let rest = 0;
  for (let at = 4; at < code.length; at += 1) rest = withMod97(rest, code.charCodeAt(at));
  for (let at = 0; at < 4; at += 1) rest = withMod97(rest, code.charCodeAt(at));
  return rest === 1;
};

const MONTHS = 12;
const DAYS = 31;

/** True for two digits of a month and two of a day. */
export const isMonthAndDay = (month: number, day: number): boolean =>
  month >= 1 && month <= MONTHS && day >= 1 && day <= DAYS;
