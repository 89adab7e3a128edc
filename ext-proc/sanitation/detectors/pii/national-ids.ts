// Numbers that states give to people, by country: their groups, what is fixed in them, their check digits. Only those
// of the countries that a rule names are looked for: a number with a check digit is one in ten or eleven by chance.

import type { IdCountry } from '#core/detectors.ts';
import {
  hasLuhn,
  hasMod1110,
  isMonthAndDay,
  weighted,
} from '#ext-proc/sanitation/detectors/pii/check-digits.ts';
import type { NumberShape } from '#ext-proc/sanitation/detectors/pii/number-runs.ts';

const part = (digits: string, start: number, end: number): number => Number(digits.slice(start, end));

/** Steuer-ID: of the first ten digits one is there twice or three times (§ 139b AO and its directive). */
const isSteuerId = (digits: string): boolean => {
  if (digits[0] === '0' || !hasMod1110(digits)) return false;
  const counts = [...'0123456789'].map((digit) => digits.slice(0, 10).split(digit).length - 1);
  const repeated = counts.filter((count) => count > 1);
  return repeated.length === 1 && (repeated[0] ?? 0) <= 3;
};

/** NIR: sex, year, month, place, order, and a key of two digits. */
const isNir = (digits: string): boolean =>
  /^[12378]/.test(digits) && 97 - (part(digits, 0, 13) % 97) === part(digits, 13, 15);

/** BSN, the "elfproef". */
const isBsn = (digits: string): boolean =>
  part(digits, 0, 9) > 0 && weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;

/** Rijksregisternummer; of those born from 2000 on a 2 goes before. */
const isRijksregister = (digits: string): boolean => {
  const [number, key] = [part(digits, 0, 9), part(digits, 9, 11)];
  const isDate = part(digits, 2, 4) % 20 <= 12 && part(digits, 4, 6) <= 31;
  return isDate && (97 - (number % 97) === key || 97 - ((2_000_000_000 + number) % 97) === key);
};

/** PESEL; centuries are told by 20, 40, 60 or 80 added to the month. */
const isPesel = (digits: string): boolean =>
  isMonthAndDay(part(digits, 2, 4) % 20, part(digits, 4, 6)) &&
  weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;

/** Personnummer; of a samordningsnummer the day is 60 higher. */
const isPersonnummer = (digits: string): boolean => {
  const short = digits.slice(-10);
  return isMonthAndDay(part(short, 2, 4), part(short, 4, 6) % 60) && hasLuhn(short);
};

/** Social Security Number: areas, groups and serials that are given out. It has no check digit. */
const isSsn = (digits: string): boolean =>
  /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(digits) && digits !== '078051120';

/** NHS number, modulus 11. */
const isNhs = (digits: string): boolean =>
  /[1-9]/.test(digits) && weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0;

const shapes = (
  isValid: NumberShape['isValid'],
  groups: readonly (readonly number[])[],
  more: Partial<NumberShape> = {},
): readonly NumberShape[] => groups.map((lengths) => ({ groups: lengths, isValid, ...more }));

/** Of digits alone, by country. */
export const NUMBERED_IDS: Readonly<Record<IdCountry, readonly NumberShape[]>> = {
  DE: shapes(isSteuerId, [[11], [2, 3, 3, 3]], { signs: ' ' }),
  FR: shapes(isNir, [[15], [13, 2], [1, 2, 2, 2, 3, 3, 2]], { signs: ' ' }),
  NL: [
    ...shapes(isBsn, [[9]], { said: /bsn|burgerservice|sofi|citizen/ }),
    ...shapes(
      isBsn,
      [
        [4, 2, 3],
        [3, 3, 3],
      ],
      { signs: '.', said: /bsn|burgerservice|sofi|citizen/ },
    ),
  ],
  BE: [
    ...shapes(isRijksregister, [[11]]),
    ...shapes(isRijksregister, [[2, 2, 2, 3, 2]], { between: '..-.' }),
    ...shapes(isRijksregister, [[6, 3, 2]], { signs: ' -' }),
  ],
  PL: shapes(isPesel, [[11]]),
  SE: shapes(isPersonnummer, [[10], [12], [6, 4], [8, 4]], { signs: '-' }),
  US: [
    ...shapes(isSsn, [[3, 2, 4]], { signs: '- ' }),
    ...shapes(isSsn, [[9]], { said: /ssn|social.security/ }),
  ],
  GB: [
    ...shapes(isNhs, [[3, 3, 4]], { signs: ' -', said: /nhs|patient|health/ }),
    ...shapes(isNhs, [[10]], { said: /nhs/ }),
  ],
  ES: [],
  IT: [],
};
