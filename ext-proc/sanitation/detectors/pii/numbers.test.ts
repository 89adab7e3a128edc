// IBANs and cards are looked for by tables and by characters, because every run of digits of every text is asked. Here
// they are held to what they mean, said by regular expressions and whole numbers, on texts made of pieces of both.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CARDS } from '#ext-proc/sanitation/detectors/pii/cards.ts';
import { endOfIban } from '#ext-proc/sanitation/detectors/pii/iban.ts';
import { endOfShape, readRuns } from '#ext-proc/sanitation/detectors/pii/number-runs.ts';

/** A few countries of ISO 13616 with the lengths of their IBANs. */
const COUNTRIES = [
  ['NO', 15],
  ['NL', 18],
  ['DE', 22],
  ['MT', 31],
] as const;

const sum97 = (code: string): bigint =>
  BigInt([...code.slice(4), ...code.slice(0, 4)].map((sign) => Number.parseInt(sign, 36)).join('')) % 97n;

const ibansIn = (text: string): readonly string[] =>
  [...text.matchAll(/(?<![A-Z\d])[A-Z]{2}\d\d/g)].flatMap(({ index }) =>
    COUNTRIES.flatMap(([country, length]) => {
      const form = new RegExp(`${country}\\d\\d(?:[ \\u00a0-]?[A-Z\\d]){${length - 4}}(?![A-Za-z\\d])`, 'y');
      form.lastIndex = index;
      const found = form.exec(text)?.[0];
      return found !== undefined && sum97(found.replaceAll(/[ \u00a0-]/g, '')) === 1n ? [found] : [];
    }),
  );

/** With check digits that are right, in groups of four as they are written. */
const iban = fc
  .tuple(
    fc.constantFrom(...COUNTRIES),
    fc.stringMatching(/^[A-Z\d]{27}$/),
    fc.constantFrom(' ', '-', '\u00a0', ''),
  )
  .map(([[country, length], signs, gap]) => {
    const own = signs.slice(0, length - 4);
    const check = String(98n - sum97(`${country}00${own}`)).padStart(2, '0');
    return (`${country}${check}${own}`.match(/.{1,4}/g) ?? []).join(gap);
  });

/** Luhn's sum as ISO/IEC 7812-1 tells it. */
const isLuhn = (digits: string): boolean =>
  [...digits]
    .toReversed()
    .map((digit, place) => String(Number(digit) * (place % 2 === 0 ? 1 : 2)))
    .reduce((sum, product) => sum + [...product].reduce((own, digit) => own + Number(digit), 0), 0) %
    10 ===
  0;

/** What issuers have given out: lengths, first digits. */
const ISSUERS: readonly (readonly [lengths: readonly number[], first: RegExp])[] = [
  [[13, 16, 19], /^4/],
  [[16], /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/],
  [[15], /^3[47]/],
  [[16, 19], /^(?:6(?:011|4[4-9]|5)|35(?:2[89]|[3-8]))/],
  [[14, 16], /^3(?:0[0-5]|09|[689])/],
  [[16, 17, 18, 19], /^62/],
  [[13, 16, 19], /^(?:5018|5020|5038|5893|6304|6759|676[1-3])/],
];

const isCard = (digits: string): boolean =>
  isLuhn(digits) && ISSUERS.some(([lengths, first]) => lengths.includes(digits.length) && first.test(digits));

/** The parts a run of digits and those behind it make; nothing may go on behind the last. */
const CARD_FORMS = [
  /\d{13,19}/y,
  /\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?/y,
  /\d{4}([ -])\d{4}\1\d{4}\1\d{4}/y,
  /\d{4}([ -])\d{6}\1\d{4,5}/y,
];
const ENDS = /(?![\w])(?![,./:-]\d)/y;

const cardsIn = (text: string): readonly string[] =>
  [...text.matchAll(/\d+/g)].flatMap(({ index }) => {
    const found = CARD_FORMS.flatMap((form) => {
      form.lastIndex = index;
      const shown = form.exec(text)?.[0] ?? '';
      ENDS.lastIndex = index + shown.length;
      return shown !== '' && ENDS.test(text) && isCard(shown.replaceAll(/[ -]/g, '')) ? [shown] : [];
    });
    return [...new Set(found)];
  });

const digits = (length: number) => fc.stringMatching(new RegExp(`^\\d{${length}}$`));

/** Half of them begin as an issuer's do, and one in ten of all has the right check digit by chance: so it is made right. */
const card = fc
  .tuple(
    fc.constantFrom(
      '4',
      '51',
      '2720',
      '2721',
      '37',
      '6011',
      '3528',
      '3527',
      '309',
      '62',
      '6763',
      '6764',
      '9',
    ),
    digits(19),
    fc.integer({ min: 13, max: 19 }),
    fc.constantFrom(' ', '-', ''),
  )
  .map(([first, more, length, gap]) => {
    const start = `${first}${more}`.slice(0, length - 1);
    const number = [...'0123456789'].map((check) => start + check).find(isLuhn) ?? start;
    const lengths = length === 15 || length === 14 ? /^(.{4})(.{6})(.*)$/ : /^(.{4})(.{4})(.{4})(.{4})(.*)$/;
    return (lengths.exec(number)?.slice(1) ?? [number]).filter((group) => group !== '').join(gap);
  });

const between = fc.constantFrom(' ', '-', '.', ',', ':', '\u00a0', 'a', 'A', 'é', '1', '4111', 'DE89', '');

const text = fc
  .array(fc.oneof(iban, card, between, fc.stringMatching(/^[A-Z\d -]{0,6}$/)), { maxLength: 12 })
  .map((pieces) => pieces.join(''));

/** Every run is asked, also where a scan would pass over it. */
const endsIn = (given: string, endAt: (run: number) => number, before: number): readonly string[] => {
  const runs = readRuns(given);
  return Array.from({ length: runs.count }, (_, run) => {
    const end = endAt(run);
    return end === -1 ? [] : [given.slice((runs.starts[run] ?? 0) - before, end)];
  }).flat();
};

it('tells IBANs as their registry does', () => {
  fc.assert(
    fc.property(text, (given) => {
      const known = endsIn(given, (run) => endOfIban(readRuns(given), run), 2);
      const named = known.filter((found) => COUNTRIES.some(([country]) => found.startsWith(country)));
      expect(named).toEqual(ibansIn(given));
    }),
    { numRuns: 2_000 },
  );
});

it('tells cards by their issuers and by Luhn', () => {
  fc.assert(
    fc.property(text, (given) => {
      const runs = readRuns(given);
      const length = (run: number) => (runs.ends[run] ?? 0) - (runs.starts[run] ?? 0);
      const found = CARDS.flatMap((shape) =>
        endsIn(given, (run) => (length(run) === shape.groups[0] ? endOfShape(runs, run, shape) : -1), 0),
      );
      expect(found.toSorted()).toEqual(cardsIn(given).toSorted());
    }),
    { numRuns: 2_000 },
  );
});
