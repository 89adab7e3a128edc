// What a detector finds in a text, in a form that reads well in a test: the kind and the part of the text.

import type { Detector, DetectorOptions } from '#ext-proc/sanitation/detector.ts';

/** `kind: part` of each finding, in the order they stand in. */
export const foundIn = async (
  detector: Detector,
  text: string,
  options: DetectorOptions = {},
): Promise<readonly string[]> => {
  const findings = await detector.scan(text, options);
  return findings
    .toSorted((a, b) => a.start - b.start)
    .map(({ kind, start, end }) => `${kind}: ${text.slice(start, end)}`);
};

/** Letters and digits as a generator of keys would draw them, the same every time. */
export const drawn = (length: number, alphabet = 'aB3dE5fG7hJ9kL2mN4pQ6rS8tU'): string =>
  Array.from({ length }, (_, at) => alphabet[(at * 7 + Math.floor(at / 5)) % alphabet.length]).join('');
