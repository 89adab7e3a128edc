// Phone numbers: in international form (ITU-T E.164) everywhere, in national forms for the countries that are asked
// for, and there only as people write them, in groups or under a word that says so.

import type { IdCountry } from '#core/detectors.ts';
import { endsAt, type NumberRuns, type NumberShape } from '#ext-proc/sanitation/detectors/pii/number-runs.ts';

/** Eight to fifteen digits, up to two signs between any two. */
const INTERNATIONAL = /\+[1-9](?:[ \u00a0./()-]{0,2}\d){7,14}/y;
/** Zones of the numbering plan; in North America, Russia and Kazakhstan ten digits stand behind the code. */
const IN_USE = /^(?:1[2-9]\d{9}|7\d{10}|[2-689]\d{6,14})$/;
/** Of one that is written without any sign between: a sum with a plus sign has as many. */
const MIN_SOLID_DIGITS = 10;

/** The end of the number whose `+` stands at a place; -1 where it is none. */
export const endOfInternational = (text: string, plus: number): number => {
  INTERNATIONAL.lastIndex = plus;
  const found = INTERNATIONAL.exec(text)?.[0];
  if (found === undefined) return -1;
  const digits = found.replace(/\D/g, '');
  const isSum = found.length === digits.length + 1 && digits.length < MIN_SOLID_DIGITS;
  return !isSum && IN_USE.test(digits) && endsAt(text, plus + found.length) ? plus + found.length : -1;
};

const SAID = /(?:phone|tel|mobile|mobil|móvil|movil|cell|handy|fax|portable|gsm|telefo|komórk)[^\d]*$/;

type Form = Omit<NumberShape, 'isValid'> & { readonly start: RegExp };

const form = (start: RegExp, signs: string, ...groups: readonly number[][]): readonly Form[] =>
  groups.map((lengths) => ({ start, signs, groups: lengths }));

const said = (start: RegExp, ...lengths: readonly number[]): readonly Form[] =>
  lengths.map((length) => ({ start, groups: [length], said: SAID }));

const FORMS: Readonly<Record<IdCountry, readonly Form[]>> = {
  US: [...form(/^[2-9]\d\d[2-9]/, '-.', [3, 3, 4]), ...said(/^[2-9]\d\d[2-9]/, 10)],
  GB: [
    ...form(/^0[1-9]/, ' -', [5, 6], [5, 3, 3], [4, 3, 4]),
    ...form(/^02/, ' -', [3, 4, 4]),
    ...said(/^0[1-9]/, 10, 11),
  ],
  FR: [...form(/^0[1-9]/, ' .-', [2, 2, 2, 2, 2]), ...said(/^0[1-9]/, 10)],
  DE: [
    ...form(/^0[1-9]/, ' /-', [3, 7], [3, 8], [4, 6], [4, 7], [4, 8], [5, 4], [5, 5], [5, 6], [5, 7]),
    ...said(/^0[1-9]/, 9, 10, 11, 12),
  ],
  ES: [...form(/^[6-9]/, ' ', [3, 3, 3], [3, 2, 2, 2]), ...said(/^[6-9]/, 9)],
  IT: [...form(/^(?:3[1-9]|0[1-9])/, ' -./', [3, 7], [3, 6], [3, 3, 4], [2, 8]), ...said(/^[03]/, 9, 10)],
  NL: [...form(/^0[1-9]/, ' -', [2, 8], [3, 7], [4, 6], [2, 2, 2, 2, 2]), ...said(/^0[1-9]/, 10)],
  BE: [
    ...form(/^0[1-9]/, ' ./', [4, 2, 2, 2], [3, 2, 2, 2], [2, 3, 2, 2], [4, 3, 3]),
    ...said(/^0[1-9]/, 9, 10),
  ],
  PL: [...form(/^[1-9]/, ' -', [3, 3, 3], [2, 3, 2, 2]), ...said(/^[1-9]/, 9)],
  SE: [
    ...form(/^0[1-9]/, ' ', [3, 3, 2, 2], [3, 7], [2, 3, 3, 2]),
    { start: /^07/, groups: [3, 3, 2, 2], between: '-  ' },
    ...form(/^0[1-9]/, '-', [3, 7], [2, 8], [2, 7], [4, 6]),
    ...said(/^0[1-9]/, 9, 10),
  ],
};

/** National forms of a country. */
export const nationalPhonesOf = (country: IdCountry): readonly NumberShape[] =>
  FORMS[country].map(({ start, ...shape }) => ({ ...shape, isValid: (digits) => start.test(digits) }));

const BEHIND_AREA = /\) ?[2-9]\d{2}[-. ]\d{4}(?!\d)/y;

/** `(415) 555-0100`: the end of the number whose area code is a run, with its start one character before. */
export const endOfBracketed = ({ text, starts, ends }: NumberRuns, run: number): number => {
  const [start = 0, end = 0] = [starts[run], ends[run]];
  if (end - start !== 3 || text[start - 1] !== '(') return -1;
  BEHIND_AREA.lastIndex = end;
  return BEHIND_AREA.test(text) ? BEHIND_AREA.lastIndex : -1;
};
