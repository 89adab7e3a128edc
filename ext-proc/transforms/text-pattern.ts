// A redaction's regular expression over one text. RE2 finds one match in linear time, but the search for all of them
// is quadratic where each attempt reads on to the end (`a.*b|a`), so how often a text is looked at is counted.

import { MatcherInput, RE2JS } from 're2js';

export type TextPattern = { readonly expression: RE2JS };

/** Looks at each character, on average, before the search is given up. Patterns in use take one to four. */
const LOOKS_PER_CHARACTER = 8;

/** Looks that any text may take: some 20 ms, so that short ones are hardly ever given up. */
const LOOKS_AT_LEAST = 256 * 1024;

/** A search in native code costs about this many characters per look. */
const SEARCHED_PER_LOOK = 16;

class LooksSpent extends Error {}

/** A text that counts how often it is looked at; RE2JS takes any String for one. */
class CountedText extends String {
  #left: number;
  readonly #text: string;

  constructor(text: string) {
    super(text);
    this.#text = text;
    this.#left = LOOKS_AT_LEAST + LOOKS_PER_CHARACTER * text.length;
  }

  override charCodeAt(index: number): number {
    this.#spend(1);
    return this.#text.charCodeAt(index);
  }

  override indexOf(part: string, from = 0): number {
    const found = this.#text.indexOf(part, from);
    const searched = (found === -1 ? this.#text.length : found) - from;
    this.#spend(1 + searched / SEARCHED_PER_LOOK);
    return found;
  }

  #spend(looks: number): void {
    this.#left -= looks;
    if (this.#left < 0) throw new LooksSpent();
  }
}

/** @returns undefined where the expression is none of RE2's syntax. */
export const compilePattern = (source: string): TextPattern | undefined => {
  try {
    return { expression: RE2JS.compile(source) };
  } catch {
    return undefined;
  }
};

export type Replaced = { readonly text: string; readonly count: number };

/**
 * The text with every match replaced, from left to right, none overlapping another. A match without length is none.
 * Where the text costs too much to search, all that follows the last match is replaced: what was not looked at does
 * not go on.
 * @param replacement as it stands; `$1` in it means nothing.
 */
export const replaceMatches = (text: string, { expression }: TextPattern, replacement: string): Replaced => {
  const matcher = expression.matcher(MatcherInput.utf16(new CountedText(text)));
  const parts: string[] = [];
  let at = 0;
  let count = 0;
  const replace = (start: number, end: number): void => {
    parts.push(text.slice(at, start), replacement);
    at = end;
    count += 1;
  };
  try {
    while (matcher.find()) if (matcher.end() > matcher.start()) replace(matcher.start(), matcher.end());
  } catch (thrown) {
    if (!(thrown instanceof LooksSpent)) throw thrown;
    replace(at, text.length);
  }
  return { text: count === 0 ? text : parts.join('') + text.slice(at), count };
};
