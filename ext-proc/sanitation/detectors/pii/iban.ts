// International bank account numbers (ISO 13616): the length of their country and the check of their first digits.

import { hasMod97 } from '#ext-proc/sanitation/detectors/pii/check-digits.ts';
import { isLetter, type NumberRuns } from '#ext-proc/sanitation/detectors/pii/number-runs.ts';

/** Lengths by country, from the registry of ISO 13616. */
const COUNTRIES: readonly string[] = [
  '15NO 16BE 18DK18FI18FO18GL18NL 18SD 19MK19SI 20AT20BA20EE20KZ20LT20LU20XK 20MN 21CH21HR21LI21LV',
  '22BG22BH22CR22DE22GB22GE22IE22ME22RS22VA 23AE23GI23IL23IQ23OM23TL 23SO 24AD24CZ24ES24MD24PK24RO24SA24SE24SK24TN24VG',
  '25LY25PT25ST 26IS26TR 27BI27DJ27FR27GR27IT27MC27MR27SM 28AL28AZ28BY28CY28DO28GT28HU28LB28NI28PL28SV',
  '29BR29EG29PS29QA29UA 30JO30KW30MU 30YE 31MT31SC 32LC 33RU',
].flatMap((row) => row.match(/\d\d[A-Z]{2}/g) ?? []);

const CAPITAL_A = 65;
const CAPITALS = 26;

/** The place of a country in a table of all pairs of capitals: what looks like one stands at every other run of a text. */
const placeOf = (first: number, second: number): number =>
  (first - CAPITAL_A) * CAPITALS + second - CAPITAL_A;

/** 0: no country of IBANs. */
const LENGTHS = new Uint8Array(CAPITALS * CAPITALS);
for (const entry of COUNTRIES)
  LENGTHS[placeOf(entry.charCodeAt(2), entry.charCodeAt(3))] = Number(entry.slice(0, 2));

const isCapital = (code: number): boolean => code >= 65 && code <= 90;

const OTHER = 0;
const MEMBER = 1;
const GAP = 2;

/** By character: a capital or a digit, or what sets groups of them apart: a space, a hyphen, a space that does not break. */
const CLASSES = new Uint8Array(256);
for (let code = 48; code <= 57; code += 1) CLASSES[code] = MEMBER;
for (let code = 65; code <= 90; code += 1) CLASSES[code] = MEMBER;
for (const code of [0x20, 0x2d, 0xa0]) CLASSES[code] = GAP;

const classAt = (text: string, at: number): number =>
  at >= 0 && at < text.length ? (CLASSES[text.charCodeAt(at)] ?? OTHER) : OTHER;

/** The end of `length` letters and digits from a place, with single gaps in between; -1 where there are fewer. */
const endOfCode = (text: string, start: number, length: number): number => {
  if (start + length > text.length) return -1;
  let at = start;
  for (let count = 0; count < length; count += 1, at += 1) {
    let found = classAt(text, at);
    if (found === GAP && count > 0) found = classAt(text, ++at);
    if (found !== MEMBER) return -1;
  }
  return at;
};

/** The length of an IBAN whose country stands at a place; 0: there is none. */
const lengthAt = (text: string, start: number): number => {
  const [first, second] = [text.charCodeAt(start), text.charCodeAt(start + 1)];
  return isCapital(first) && isCapital(second) ? (LENGTHS[placeOf(first, second)] ?? 0) : 0;
};

/** The end of the IBAN whose check digits begin a run, and -1 where none does. It starts two characters before. */
export const endOfIban = ({ text, starts, ends }: NumberRuns, run: number): number => {
  const start = (starts[run] ?? 0) - 2;
  if (start < 0 || (ends[run] ?? 0) - start < 4) return -1;
  const length = lengthAt(text, start);
  if (length === 0 || classAt(text, start - 1) === MEMBER) return -1;
  const end = endOfCode(text, start, length);
  if (end === -1 || classAt(text, end) === MEMBER || isLetter(text.charCodeAt(end))) return -1;
  return hasMod97(text.slice(start, end).replace(/[\s-]/g, '')) ? end : -1;
};
