// Finds text that speaks to a model instead of telling it something. No list of phrases is complete, and a text about
// such phrases is found as well: what is found here is better marked than blocked.

import { DETECTOR_KINDS } from '#core/detectors.ts';
import type { Detector, Finding } from '#ext-proc/sanitation/detector.ts';
import { findPhrases } from '#ext-proc/sanitation/detectors/instructions/phrases.ts';
import { findRoleMarkers } from '#ext-proc/sanitation/detectors/instructions/role-markers.ts';
import { readWords } from '#ext-proc/sanitation/detectors/instructions/words.ts';

/** Findings of a kind that overlap are one: several phrases fit one order. */
const merged = (findings: readonly Finding[]): readonly Finding[] => {
  const last = new Map<string, number>();
  const kept: Finding[] = [];
  for (const finding of findings.toSorted((a, b) => a.start - b.start)) {
    const at = last.get(finding.kind);
    const before = at === undefined ? undefined : kept[at];
    if (at !== undefined && before !== undefined && finding.start < before.end)
      kept[at] = { ...before, end: Math.max(before.end, finding.end) };
    else last.set(finding.kind, kept.push(finding) - 1);
  }
  return kept;
};

export const instructions: Detector = {
  name: 'instructions',
  kinds: DETECTOR_KINDS.instructions,
  scan: (text) => merged([...findPhrases(readWords(text)), ...findRoleMarkers(text)]),
};
