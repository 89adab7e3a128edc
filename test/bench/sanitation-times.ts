// Timing the built-in detectors on a text: for the table of `npm run bench:sanitation` and for the rows of `npm run bench`.

import type { Detector } from '#ext-proc/sanitation/detector.ts';
import { BUILT_IN_DETECTORS } from '#ext-proc/sanitation/detectors/built-in.ts';

/** Characters of a text. */
export const SIZE = 10 * 1024;
const OPTIONS = { countries: ['BE', 'DE', 'ES', 'FR', 'GB', 'IT', 'NL', 'PL', 'SE', 'US'] };

export type Spread = { readonly least: number; readonly median: number; readonly most: number };

const measure = (run: () => void, rounds: number): Spread => {
  const microseconds = Array.from({ length: rounds }, () => {
    const startedAt = process.hrtime.bigint();
    run();
    return Number(process.hrtime.bigint() - startedAt) / 1_000;
  }).sort((a, b) => a - b);
  const at = (share: number) => microseconds[Math.floor(share * (rounds - 1))] ?? 0;
  return { least: at(0), median: at(0.5), most: at(1) };
};

/** How many findings all detectors have. */
export const scanAll = (text: string): number =>
  BUILT_IN_DETECTORS.reduce((count, detector) => count + scan(detector, text), 0);

/** How many findings one detector has. */
export const scan = (detector: Detector, text: string): number => {
  const findings = detector.scan(text, OPTIONS);
  if (findings instanceof Promise) throw new Error(`${detector.name} is not built in`);
  return findings.length;
};

/** Another string with the same letters, so that no engine remembers what it was asked before. */
const fresh = (text: string): string => Buffer.from(text, 'utf8').toString('utf8');

/** The piece, repeated until the text is as long as asked for. */
export const filled = (piece: string, size = SIZE): string =>
  piece.repeat(Math.ceil(size / piece.length)).slice(0, size);

/** Microseconds of `run` on fresh texts made of the piece. */
export const timeOf = (piece: string, run: (text: string) => void, rounds: number, size = SIZE): Spread => {
  const inputs = Array.from({ length: rounds }, () => fresh(filled(piece, size)));
  let next = 0;
  return measure(() => run(inputs[next++ % rounds] ?? ''), rounds);
};
