// What a person does not see and a model reads: what is approved on a screen must be all there is. Hidden characters,
// those that make a screen show the text in another order than it has (Trojan Source), letters that only look like
// others, and gaps that push the rest off the screen.

import type { Json } from '#core/json.ts';
import type { Finding } from '#registry/manifest/lint/finding.ts';
import { findMixedLetter } from '#registry/manifest/lint/reading.ts';
import { textsOf } from '#registry/manifest/lint/texts.ts';

/**
 * Ignorable, format (bidirectional marks, tags), control and private characters, the blank Braille pattern. A tab, a
 * line feed and a carriage return are plain text.
 */
const HIDDEN = /(?![\t\n\r])[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Co}\u2800]/u;

/** Joined emoji and their presentation: the invisible character stands directly behind a picture. */
const IN_EMOJI =
  /\p{Extended_Pictographic}[\uFE0F\p{Emoji_Modifier}]*\u200D(?=\p{Extended_Pictographic})|\p{Extended_Pictographic}\uFE0F|[0-9#*]\uFE0F(?=\u20E3)/gu;

/** Joiners shape words of these scripts; elsewhere they only split a word for a filter. */
const IN_WORD =
  /(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Malayalam}])[\u200C\u200D](?=\p{L})/gu;

const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/** The first hidden character of a text. */
export const findHidden = (text: string): string | undefined =>
  HIDDEN.exec(HIDDEN.test(text) ? text.replace(IN_EMOJI, '').replace(IN_WORD, '') : '')?.[0];

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
