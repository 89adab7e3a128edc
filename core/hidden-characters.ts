// Characters that a screen shows nothing of, and where some of them belong: an emoji is joined by them, and some
// scripts shape their words with them.

/**
 * Ignorable, format (bidirectional marks, tags), control and private characters, the blank Braille pattern. A tab, a
 * line feed and a carriage return are plain text.
 */
export const HIDDEN = /(?![\t\n\r])[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Co}\u2800]/u;

/** Joined emoji and their presentation: the invisible character stands directly behind a picture. */
const IN_EMOJI =
  /\p{Extended_Pictographic}[\uFE0F\p{Emoji_Modifier}]{0,3}\u200D(?=\p{Extended_Pictographic})|\p{Extended_Pictographic}\uFE0F|[0-9#*]\uFE0F(?=\u20E3)/gu;

/** Joiners shape words of these scripts; elsewhere they only split a word for a filter. */
const IN_WORD =
  /(?<=[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Malayalam}])[\u200C\u200D](?=\p{L})/gu;

/** What it is about: a text without any is not searched. */
const JOINERS = /[\u200C\u200D]/;

/** By length: a text may be made of thousands of short matches. */
const FILLERS: readonly string[] = Array.from({ length: 16 }, (_, length) => '_'.repeat(length));

const filler = (shown: string): string => FILLERS[shown.length] ?? '_'.repeat(shown.length);

/** The text with `_` for all that `form` (global) matches: every other character keeps its place. */
export const maskAll = (text: string, form: RegExp): string => text.replace(form, filler);

/** The text with `_` for joiners and selectors that are part of an emoji or of a word. */
export const maskJoiners = (text: string): string => {
  const masked = maskAll(text, IN_EMOJI);
  return JOINERS.test(masked) ? maskAll(masked, IN_WORD) : masked;
};
