// What a person does not see and a model reads: what is approved on a screen must be all there is. Hidden characters,
// those that make a screen show the text in another order than it has (Trojan Source), letters that only look like
// others, and gaps that push the rest off the screen.

import { HIDDEN, maskJoiners } from '#core/hidden-characters.ts';
import type { Json } from '#core/json.ts';
import { findMixedLetter } from '#core/reading.ts';
import type { Finding } from '#registry/manifest/lint/finding.ts';
import { textsOf } from '#registry/manifest/lint/texts.ts';

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** The first hidden character of a text. */
export const findHidden = (text: string): string | undefined =>
  HIDDEN.exec(HIDDEN.test(text) ? maskJoiners(text) : '')?.[0];

/** Longest stretch of white space: no table and no paragraph needs more. */
const MAX_GAP = 100;
const MAX_BLANK_LINES = 10;

const isGap = (space: string): boolean =>
  space.length >= MAX_GAP || space.split('\n').length > MAX_BLANK_LINES + 1;

const hasGap = (text: string): boolean => (text.match(/\s{2,}/gu) ?? []).some(isGap);

/** What of a text a person would not see. */
export const hiddenIn = (text: string): Pick<Finding, 'code' | 'message'>[] => {
  const hidden = findHidden(text);
  const mixed = findMixedLetter(text);
  return [
    ...(hidden === undefined
      ? []
      : [{ code: 'hidden-character', message: `holds ${codePoint(hidden)}, which a reader does not see` }]),
    ...(mixed === undefined
      ? []
      : [{ code: 'lookalike-character', message: `holds ${codePoint(mixed)} among Latin letters` }]),
    ...(hasGap(text)
      ? [{ code: 'hidden-gap', message: 'holds a gap that pushes what follows off a screen' }]
      : []),
  ];
};

/** What is hidden anywhere in the manifest. */
export const lintHiddenText = (manifest: Json): Finding[] =>
  [...textsOf(manifest, '')].flatMap(({ pointer, text }) =>
    hiddenIn(text).map((found) => ({ severity: 'error' as const, pointer, ...found })),
  );
