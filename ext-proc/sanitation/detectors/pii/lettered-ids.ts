// Numbers of people that hold letters, by country. Each is tried where a run of digits of the right length stands.

import type { IdCountry } from '#core/detectors.ts';
import { weighted } from '#ext-proc/sanitation/detectors/pii/check-digits.ts';
import type { NumberRuns } from '#ext-proc/sanitation/detectors/pii/number-runs.ts';

export type LetteredId = {
  readonly country: IdCountry;
  /** Lengths of the run of digits that it is told by. */
  readonly runs: readonly number[];
  /** Characters before that run. */
  readonly before: number;
  /** Sticky, bounded. */
  readonly form: RegExp;
  readonly isValid: (code: string) => boolean;
};

const DNI_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

/** DNI, and NIE with X, Y, Z for 0, 1, 2. */
const isDni = (code: string): boolean => {
  const digits = code.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)));
  return DNI_LETTERS[Number(digits) % DNI_LETTERS.length] === code.at(-1);
};

/** Values of characters at odd places, counted from one, of a codice fiscale (D.M. 23 December 1976). */
const ODD_DIGITS = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
const ODD_LETTERS = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
];
const ALPHABET = 26;

const isCodiceFiscale = (code: string): boolean => {
  let sum = 0;
  for (let at = 0; at < 15; at += 1) {
    const value = Number.parseInt(code[at] ?? '', 36);
    const index = value > 9 ? value - 10 : value;
    const odd = value > 9 ? ODD_LETTERS[index] : ODD_DIGITS[index];
    sum += at % 2 === 0 ? (odd ?? 0) : index;
  }
  return sum % ALPHABET === Number.parseInt(code.at(-1) ?? '', 36) - 10;
};

/** National Insurance number: prefixes that are not given out. It has no check digit. */
const isNino = (code: string): boolean => !/^(?:BG|GB|NK|KN|TN|NT|ZZ)/.test(code);

/** Numbers of Corsica: 2A counts as 19, 2B as 18 (INSEE). */
const isCorsicanNir = (code: string): boolean => {
  const number = Number(code.slice(0, 13).replace('2A', '19').replace('2B', '18'));
  return 97 - (number % 97) === Number(code.slice(13));
};

/** Versicherungsnummer: the letter counts as its place in the alphabet (§ 147 SGB VI, VKVV). */
const isVersicherungsnummer = (code: string): boolean => {
  const letter = String(Number.parseInt(code[8] ?? 'A', 36) - 9).padStart(2, '0');
  const digits = code.slice(0, 8) + letter + code.slice(9, 11);
  const sum = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1].reduce((total, weight, at) => {
    const product = weight * (digits.charCodeAt(at) - 48);
    return total + Math.floor(product / 10) + (product % 10);
  }, 0);
  return sum % 10 === weighted(code.slice(11), [1]);
};

const IDS: readonly LetteredId[] = [
  { country: 'ES', runs: [8], before: 0, form: /\d{8}[- ]?[A-HJ-NP-TV-Z](?!\w)/y, isValid: isDni },
  { country: 'ES', runs: [7], before: 1, form: /[XYZ]\d{7}[- ]?[A-HJ-NP-TV-Z](?!\w)/y, isValid: isDni },
  { country: 'ES', runs: [7], before: 2, form: /[XYZ]-\d{7}-?[A-HJ-NP-TV-Z](?!\w)/y, isValid: isDni },
  {
    country: 'IT',
    runs: [2],
    before: 6,
    form: /[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z](?!\w)/y,
    isValid: isCodiceFiscale,
  },
  {
    country: 'GB',
    runs: [6],
    before: 2,
    form: /[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D](?!\w)/y,
    isValid: isNino,
  },
  {
    country: 'GB',
    runs: [2],
    before: 3,
    form: /[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] \d{2} \d{2} \d{2} [A-D](?!\w)/y,
    isValid: isNino,
  },
  { country: 'FR', runs: [6], before: 0, form: /[12]\d{4}2[AB]\d{8}(?!\w)/y, isValid: isCorsicanNir },
  { country: 'DE', runs: [8], before: 0, form: /\d{8}[A-Z]\d{3}(?!\w)/y, isValid: isVersicherungsnummer },
  {
    country: 'DE',
    runs: [2],
    before: 0,
    form: /\d{2} \d{6} [A-Z] \d{3}(?!\w)/y,
    isValid: isVersicherungsnummer,
  },
];

/** The ids of a country that hold letters. */
export const letteredIdsOf = (country: IdCountry): readonly LetteredId[] =>
  IDS.filter((id) => id.country === country);

const isCapital = (code: number): boolean => code >= 65 && code <= 90;
const SPACE = 0x20;
const HYPHEN = 0x2d;
const WORD = /\w/;

/** True if a letter stands where the form has one, before the run or behind it: most runs are done with here. */
const mayHold = ({ before }: LetteredId, text: string, from: number, to: number): boolean => {
  if (before > 0) return from >= before && isCapital(text.charCodeAt(from - before));
  const behind = text.charCodeAt(to);
  return isCapital(behind) || behind === SPACE || behind === HYPHEN;
};

/** The id that a run of digits is part of. */
export const letteredIdAt = (
  { text, starts, ends }: NumberRuns,
  run: number,
  id: LetteredId,
): { readonly start: number; readonly end: number } | undefined => {
  const [from = 0, to = 0] = [starts[run], ends[run]];
  if (!mayHold(id, text, from, to)) return undefined;
  const start = from - id.before;
  if (WORD.test(text[start - 1] ?? '')) return undefined;
  id.form.lastIndex = start;
  if (!id.form.test(text)) return undefined;
  const end = id.form.lastIndex;
  return id.isValid(text.slice(start, end).replace(/[\s-]/g, '')) ? { start, end } : undefined;
};
