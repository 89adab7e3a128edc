// Finds data of people: mail addresses, phone numbers, payment cards, bank accounts, and the national ids of the
// countries that a rule names.

import { DETECTOR_KINDS, ID_COUNTRIES, type IdCountry } from '#core/detectors.ts';
import type { Detector, Finding } from '#ext-proc/sanitation/detector.ts';
import { CARDS } from '#ext-proc/sanitation/detectors/pii/cards.ts';
import { endOfIban } from '#ext-proc/sanitation/detectors/pii/iban.ts';
import { letteredIdAt } from '#ext-proc/sanitation/detectors/pii/lettered-ids.ts';
import { findMailAddresses } from '#ext-proc/sanitation/detectors/pii/mail-addresses.ts';
import { NUMBERED_IDS } from '#ext-proc/sanitation/detectors/pii/national-ids.ts';
import { endOfShape, type NumberRuns, readRuns } from '#ext-proc/sanitation/detectors/pii/number-runs.ts';
import {
  endOfBracketed,
  endOfInternational,
  NATIONAL_PHONES,
} from '#ext-proc/sanitation/detectors/pii/phone-numbers.ts';

/** What of a country starts with a run or is part of it: an id goes before a phone number of the same form. */
const findOfCountry = (runs: NumberRuns, run: number, country: IdCountry): Finding | undefined => {
  const start = runs.starts[run] ?? 0;
  const lettered = letteredIdAt(runs, run, country);
  if (lettered !== undefined) return { kind: 'national-id', ...lettered };
  const idEnd = endOfShape(runs, run, NUMBERED_IDS[country]);
  if (idEnd !== -1) return { kind: 'national-id', start, end: idEnd };
  const phoneEnd = endOfShape(runs, run, NATIONAL_PHONES[country]);
  if (phoneEnd !== -1) return { kind: 'phone', start, end: phoneEnd };
  const bracketedEnd = country === 'US' ? endOfBracketed(runs, run) : -1;
  return bracketedEnd === -1 ? undefined : { kind: 'phone', start: start - 1, end: bracketedEnd };
};

/** What starts with a run wherever it is from. */
const findAnywhere = (runs: NumberRuns, run: number): Finding | undefined => {
  const start = runs.starts[run] ?? 0;
  const cardEnd = endOfShape(runs, run, CARDS);
  if (cardEnd !== -1) return { kind: 'card', start, end: cardEnd };
  const ibanEnd = endOfIban(runs, run);
  return ibanEnd === -1 ? undefined : { kind: 'iban', start: start - 2, end: ibanEnd };
};

/** Tells of places, asked for in rising order, whether they are within one of the findings. */
const createCover = (findings: readonly Finding[]) => {
  let next = 0;
  return (place: number): boolean => {
    while (next < findings.length && (findings[next]?.end ?? 0) <= place) next += 1;
    return (findings[next]?.start ?? Number.POSITIVE_INFINITY) <= place;
  };
};

const findNumbers = (
  text: string,
  countries: readonly IdCountry[],
  phones: readonly Finding[],
): readonly Finding[] => {
  const runs = readRuns(text);
  const isPhone = createCover(phones);
  const findings: Finding[] = [];
  let foundTo = 0;
  for (const [run, start] of runs.starts.entries()) {
    if (start < foundTo || isPhone(start)) continue;
    let found = findAnywhere(runs, run);
    for (const country of countries) found ??= findOfCountry(runs, run, country);
    if (found === undefined) continue;
    findings.push(found);
    foundTo = found.end;
  }
  return findings;
};

const findInternational = (text: string): readonly Finding[] => {
  const findings: Finding[] = [];
  for (let at = text.indexOf('+'); at !== -1; at = text.indexOf('+', at + 1)) {
    const end = endOfInternational(text, at);
    if (end !== -1) findings.push({ kind: 'phone', start: at, end });
  }
  return findings;
};

export const pii: Detector = {
  name: 'pii',
  kinds: DETECTOR_KINDS.pii,
  scan: (text, { countries = [] }) => {
    const asked = ID_COUNTRIES.filter((country) => countries.includes(country));
    const phones = findInternational(text);
    return [...findMailAddresses(text), ...phones, ...findNumbers(text, asked, phones)];
  },
};
