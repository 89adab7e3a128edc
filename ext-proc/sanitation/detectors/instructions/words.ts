// Words of a text as a model reads them: accents, styled letters and letters of other scripts that look like Latin
// ones are folded, what is hidden between letters is skipped, a word spelled letter by letter is one word. One pass;
// only words of the vocabulary are kept, each with its place.

import { LATIN_OF } from '#core/reading.ts';
import { VOCABULARY } from '#ext-proc/sanitation/detectors/instructions/vocabulary.ts';

export type Word = {
  /** Bits of what the word is used for. */
  readonly uses: number;
  readonly start: number;
  readonly end: number;
  /** Its place among all words, counted from one. */
  readonly index: number;
  /** How many sentences do. */
  readonly sentence: number;
};

const SKIPPED = -1;
const UNKNOWN = -2;
const GAP = 0;
/** A digit, or a letter that looks like no Latin one. */
const OTHER = 0x7e;

const foldLetter = (letter: string): number => {
  const plain = letter.normalize('NFKD');
  if (/^[\p{M}\p{Default_Ignorable_Code_Point}]+$/u.test(plain)) return SKIPPED;
  const [first = ''] = plain;
  const latin = (LATIN_OF.get(first) ?? first).toLowerCase().charCodeAt(0);
  if (latin >= 97 && latin <= 122) return latin;
  return /[\p{L}\p{N}]/u.test(first) ? OTHER : GAP;
};

/** What each unit of the plane that nearly all text is in is folded to, once it was asked for. */
const folded = new Int16Array(0x1_0000).fill(UNKNOWN);

const foldUnit = (unit: number): number => {
  const known = folded[unit] ?? GAP;
  if (known !== UNKNOWN) return known;
  const fold = foldLetter(String.fromCharCode(unit));
  folded[unit] = fold;
  return fold;
};

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** `.`, `!`, `?`, `:` and `;` before white space or the end. */

const FULL_STOP = 0x2e;

const isSentenceEnd = (unit: number, next: number): boolean =>
  (unit === FULL_STOP || unit === 0x21 || unit === 0x3f || unit === 0x3a || unit === 0x3b) && !(next > 0x20);

/**
 * Words are known by a number of 32 bits made of their letters: cutting every word out of the text would cost more than
 * all else. A text that is made to hit the number of another word is found without need, and none is missed.
 */
const extended = (hash: number, letter: number): number => (Math.imul(hash, 31) + letter) | 0;

const hashOf = (word: string): number =>
  [...word].reduce((hash, letter) => extended(hash, letter.charCodeAt(0)), 0);

const USES: ReadonlyMap<number, number> = VOCABULARY.reduce(
  (uses, [word, use]) => uses.set(hashOf(word), (uses.get(hashOf(word)) ?? 0) | use),
  new Map<number, number>(),
);

/** Of the other planes, the characters that were asked for lately. */
const foldedWide = new Map<number, number>();
const MAX_FOLDED_WIDE = 4_096;

const foldWide = (point: number): number => {
  const known = foldedWide.get(point);
  if (known !== undefined) return known;
  if (foldedWide.size >= MAX_FOLDED_WIDE) foldedWide.clear();
  const fold = foldLetter(String.fromCodePoint(point));
  foldedWide.set(point, fold);
  return fold;
};

const foldAt = (text: string, at: number, unit: number): number =>
  isHighSurrogate(unit) ? foldWide(text.codePointAt(at) ?? 0) : foldUnit(unit);

/** Words of one letter each, one sign apart, are one word that is spelled. */
type Spelled = { hash: number; length: number; start: number; end: number };

export const readWords = (text: string): readonly Word[] => {
  const words: Word[] = [];
  const spelled: Spelled = { hash: 0, length: 0, start: 0, end: -2 };
  let [hash, start, index, sentence] = [0, -1, 0, 0];
  const keep = (word: number, from: number, end: number): void => {
    const uses = USES.get(word);
    if (uses !== undefined) words.push({ uses, start: from, end, index, sentence });
  };
  const endSpelled = (): void => {
    if (spelled.length > 2) keep(spelled.hash, spelled.start, spelled.end);
    spelled.hash = 0;
    spelled.length = 0;
  };
  const endWord = (end: number, isOneLetter: boolean): void => {
    if (spelled.length > 0 && (!isOneLetter || start - spelled.end > 1)) endSpelled();
    if (spelled.length === 0) index += 1;
    if (isOneLetter) {
      if (spelled.length === 0) spelled.start = start;
      spelled.hash = extended(spelled.hash, hash);
      spelled.length += 1;
      spelled.end = end;
    } else keep(hash, start, end);
  };
  /** Behind the last letter. */
  let end = 0;
  let letters = 0;
  const endSentence = (): void => {
    endSpelled();
    sentence += 1;
  };
  const gap = (unit: number, next: number): void => {
    if (start !== -1) endWord(end, letters === 1);
    start = -1;
    hash = 0;
    letters = 0;
    if (isSentenceEnd(unit, next)) endSentence();
  };
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    const fold = foldAt(text, at, unit);
    const from = at;
    if (isHighSurrogate(unit)) at += 1;
    if (fold > GAP) {
      if (start === -1) start = from;
      hash = extended(hash, fold);
      letters += 1;
      end = at + 1;
    } else if (fold === GAP) gap(unit, text.charCodeAt(at + 1));
  }
  gap(FULL_STOP, Number.NaN);
  return words;
};
