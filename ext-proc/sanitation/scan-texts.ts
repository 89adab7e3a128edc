// Texts through detectors: each text once through each. Hidden characters that split a word for a detector do not: it
// is given the text without them, and what it finds is told in places of the text as it stands.

import type { Detector, DetectorOptions, Finding } from '#ext-proc/sanitation/detector.ts';
import { findHiddenRuns, hiddenText } from '#ext-proc/sanitation/detectors/hidden-text.ts';

export type Found = Finding & { readonly detector: string };

export type ArmedDetector = { readonly detector: Detector; readonly options: DetectorOptions };

/** A text, and the place in the text as it was written of each unit. */
type Shown = { readonly text: string; placeOf(index: number): number };

const asItStands = (text: string): Shown => ({ text, placeOf: (index) => index });

const withoutHidden = (text: string): Shown => {
  const runs = findHiddenRuns(text);
  if (runs.length === 0) return asItStands(text);
  const places = new Uint32Array(text.length);
  const parts: string[] = [];
  let [length, from] = [0, 0];
  for (const { start, end } of [...runs, { start: text.length, end: text.length }]) {
    parts.push(text.slice(from, start));
    for (let at = from; at < start; at += 1) places[length++] = at;
    from = end;
  }
  return { text: parts.join(''), placeOf: (index) => places[index] ?? text.length };
};

const isWellFormed = ({ kind, start, end }: Finding, detector: Detector, text: string): boolean =>
  detector.kinds.includes(kind) &&
  Number.isInteger(start) &&
  Number.isInteger(end) &&
  start >= 0 &&
  start < end &&
  end <= text.length;

const scanWith = async ({ detector, options }: ArmedDetector, shown: Shown): Promise<Found[]> => {
  const findings = await detector.scan(shown.text, options);
  return findings.map((finding) => {
    if (!isWellFormed(finding, detector, shown.text)) throw new Error('finding of another form');
    const { kind, start, end } = finding;
    return { detector: detector.name, kind, start: shown.placeOf(start), end: shown.placeOf(end - 1) + 1 };
  });
};

/**
 * All findings of a text.
 * @throws whatever a detector throws or rejects with, and where a finding is none of the detector's own.
 */
export const scanText = async (text: string, armed: readonly ArmedDetector[]): Promise<readonly Found[]> => {
  const shown = withoutHidden(text);
  const found: Found[] = [];
  for (const one of armed)
    found.push(...(await scanWith(one, one.detector === hiddenText ? asItStands(text) : shown)));
  return found;
};
