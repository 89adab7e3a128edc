// Finds data of people: mail addresses, phone numbers, payment cards, bank accounts, and the national ids of the
// countries that a rule names.

import { DETECTOR_KINDS, ID_COUNTRIES, type IdCountry } from '#core/detectors.ts';
import type { Detector, Finding } from '#ext-proc/sanitation/detector.ts';
import { CARDS } from '#ext-proc/sanitation/detectors/pii/cards.ts';
import { endOfIban } from '#ext-proc/sanitation/detectors/pii/iban.ts';
import {
  type LetteredId,
  letteredIdAt,
  letteredIdsOf,
} from '#ext-proc/sanitation/detectors/pii/lettered-ids.ts';
import { findMailAddresses } from '#ext-proc/sanitation/detectors/pii/mail-addresses.ts';
import { NUMBERED_IDS } from '#ext-proc/sanitation/detectors/pii/national-ids.ts';
import {
  endOfShape,
  type NumberRuns,
  type NumberShape,
  readRuns,
  startsAt,
} from '#ext-proc/sanitation/detectors/pii/number-runs.ts';
import {
  endOfBracketed,
  endOfInternational,
  nationalPhonesOf,
} from '#ext-proc/sanitation/detectors/pii/phone-numbers.ts';

/** What is looked for where a run of digits stands, by the length of the run. */
type Looked = {
  readonly shapes: readonly { readonly kind: string; readonly shape: NumberShape }[];
  readonly lettered: readonly LetteredId[];
};

const LONGEST_RUN = 19;

const lookedFor = (countries: readonly IdCountry[]): readonly Looked[] => {
  const shapes = [
    ...CARDS.map((shape) => ({ kind: 'card', shape })),
    ...countries.flatMap((country) => NUMBERED_IDS[country].map((shape) => ({ kind: 'national-id', shape }))),
    ...countries.flatMap((country) => nationalPhonesOf(country).map((shape) => ({ kind: 'phone', shape }))),
  ];
  const lettered = countries.flatMap(letteredIdsOf);
  return Array.from({ length: LONGEST_RUN + 1 }, (_, length) => ({
    shapes: shapes.filter(({ shape }) => shape.groups[0] === length),
    lettered: lettered.filter(({ runs }) => runs.includes(length)),
  }));
};

/** By countries: rules name few sets of them, and there are no more than the subsets of a short list. */
const known = new Map<string, readonly Looked[]>();

const lookedForIn = (countries: readonly IdCountry[]): readonly Looked[] => {
  const key = countries.join();
  const found = known.get(key) ?? lookedFor(countries);
  known.set(key, found);
  return found;
};

const findLettered = (runs: NumberRuns, run: number, ids: readonly LetteredId[]): Finding | undefined => {
  for (const id of ids) {
    const found = letteredIdAt(runs, run, id);
    if (found !== undefined) return { kind: 'national-id', ...found };
  }
  return undefined;
};

const findShaped = (runs: NumberRuns, run: number, shapes: Looked['shapes']): Finding | undefined => {
  const start = runs.starts[run] ?? 0;
  if (shapes.length === 0 || !startsAt(runs.text, start)) return undefined;
  for (const { kind, shape } of shapes) {
    const end = endOfShape(runs, run, shape);
    if (end !== -1) return { kind, start, end };
  }
  return undefined;
};

const findAt = (runs: NumberRuns, run: number, looked: Looked): Finding | undefined => {
  const start = runs.starts[run] ?? 0;
  const ibanEnd = endOfIban(runs, run);
  if (ibanEnd !== -1) return { kind: 'iban', start: start - 2, end: ibanEnd };
  return findLettered(runs, run, looked.lettered) ?? findShaped(runs, run, looked.shapes);
};

const bracketedAt = (runs: NumberRuns, run: number): Finding | undefined => {
  const end = endOfBracketed(runs, run);
  return end === -1 ? undefined : { kind: 'phone', start: (runs.starts[run] ?? 0) - 1, end };
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
  const byLength = lookedForIn(countries);
  const isBracketed = countries.includes('US');
  let foundTo = 0;
  for (let run = 0; run < runs.count; run += 1) {
    const start = runs.starts[run] ?? 0;
    const looked = byLength[(runs.ends[run] ?? 0) - start];
    if (looked === undefined || start < foundTo || isPhone(start)) continue;
    const found = findAt(runs, run, looked) ?? (isBracketed ? bracketedAt(runs, run) : undefined);
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
