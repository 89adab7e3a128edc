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

const SENTENCE_ENDS: ReadonlySet<number> = new Set([...'.!?:;'].map((sign) => sign.charCodeAt(0)));

const isSentenceEnd = (unit: number, next: number): boolean => SENTENCE_ENDS.has(unit) && !(next > 0x20);

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

/** Letters put together: of a word, or of several words of one letter each. */
type Letters = { hash: number; length: number; start: number };

class WordReader {
  readonly words: Word[] = [];
  #word: Letters = { hash: 0, length: 0, start: 0 };
  #spelled: Letters = { hash: 0, length: 0, start: 0 };
  #lastEnd = -2;
  #index = 0;
  #sentence = 0;

  letter(at: number, letter: number): void {
    const word = this.#word;
    if (word.length === 0) word.start = at;
    word.hash = extended(word.hash, letter);
    word.length += 1;
  }

  #keep({ hash, start }: Letters, end: number): void {
    const uses = USES.get(hash);
    if (uses !== undefined)
      this.words.push({ uses, start, end, index: this.#index, sentence: this.#sentence });
  }

  #endSpelled(): void {
    const spelled = this.#spelled;
    if (spelled.length > 2) this.#keep(spelled, this.#lastEnd);
    spelled.hash = 0;
    spelled.length = 0;
  }

  #spell(word: Letters): void {
    const spelled = this.#spelled;
    if (spelled.length > 0 && word.start - this.#lastEnd > 1) this.#endSpelled();
    if (spelled.length === 0) {
      spelled.start = word.start;
      this.#index += 1;
    }
    spelled.hash = extended(spelled.hash, word.hash);
    spelled.length += 1;
  }

  gap(at: number): void {
    const word = this.#word;
    if (word.length === 0) return;
    if (word.length === 1) this.#spell(word);
    else {
      if (this.#spelled.length > 0) this.#endSpelled();
      this.#index += 1;
      this.#keep(word, at);
    }
    this.#lastEnd = at;
    word.hash = 0;
    word.length = 0;
  }

  sentenceEnd(): void {
    if (this.#spelled.length > 0) this.#endSpelled();
    this.#sentence += 1;
  }
}

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

export const readWords = (text: string): readonly Word[] => {
  const reader = new WordReader();
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    const fold = foldAt(text, at, unit);
    if (fold > GAP) reader.letter(at, fold);
    else if (fold === GAP) {
      reader.gap(at);
      if (isSentenceEnd(unit, text.charCodeAt(at + 1))) reader.sentenceEnd();
    }
    if (isHighSurrogate(unit)) at += 1;
  }
  reader.gap(text.length);
  reader.sentenceEnd();
  return reader.words;
};
