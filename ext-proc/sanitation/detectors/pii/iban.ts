// International bank account numbers (ISO 13616): the length of their country and the check of their first digits.

import { hasMod97 } from '#ext-proc/sanitation/detectors/pii/check-digits.ts';
import { isLetter, type NumberRuns } from '#ext-proc/sanitation/detectors/pii/number-runs.ts';

/** Lengths by country, from the registry of ISO 13616. */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  [
    '15NO 16BE 18DK18FI18FO18GL18NL 18SD 19MK19SI 20AT20BA20EE20KZ20LT20LU20XK 20MN 21CH21HR21LI21LV',
    '22BG22BH22CR22DE22GB22GE22IE22ME22RS22VA 23AE23GI23IL23IQ23OM23TL 23SO 24AD24CZ24ES24MD24PK24RO24SA24SE24SK24TN24VG',
    '25LY25PT25ST 26IS26TR 27BI27DJ27FR27GR27IT27MC27MR27SM 28AL28AZ28BY28CY28DO28GT28HU28LB28NI28PL28SV',
    '29BR29EG29PS29QA29UA 30JO30KW30MU 30YE 31MT31SC 32LC 33RU',
  ].flatMap((row) =>
    (row.match(/\d\d[A-Z]{2}/g) ?? []).map((entry): [string, number] => [
      entry.slice(2),
      Number(entry.slice(0, 2)),
    ]),
  ),
);

const isCapital = (code: number): boolean => code >= 65 && code <= 90;

const isCapitalOrDigit = (code: number): boolean => (code >= 48 && code <= 57) || (code >= 65 && code <= 90);

/** Groups are set apart by single spaces or hyphens. */
const isGap = (code: number): boolean => code === 32 || code === 45 || code === 0xa0;

/** The end of `length` letters and digits from a place, with single gaps in between; -1 where there are fewer. */
const endOfCode = (text: string, start: number, length: number): number => {
  let at = start;
  for (let count = 0; count < length; count += 1, at += 1) {
    if (count > 0 && isGap(text.charCodeAt(at))) at += 1;
    if (!isCapitalOrDigit(text.charCodeAt(at))) return -1;
  }
  return at;
};

/** The end of the IBAN whose check digits begin a run, and -1 where none does. It starts two characters before. */
export const endOfIban = ({ text, starts, ends }: NumberRuns, run: number): number => {
  const start = (starts[run] ?? 0) - 2;
  if (start < 0 || (ends[run] ?? 0) - start < 4 || !isCapital(text.charCodeAt(start + 1))) return -1;
  const length = LENGTHS.get(text.slice(start, start + 2));
  if (length === undefined || isCapitalOrDigit(text.charCodeAt(start - 1))) return -1;
  const end = endOfCode(text, start, length);
  if (end === -1 || isCapitalOrDigit(text.charCodeAt(end)) || isLetter(text.charCodeAt(end))) return -1;
  return hasMod97(text.slice(start, end).replace(/[\s-]/g, '')) ? end : -1;
};
