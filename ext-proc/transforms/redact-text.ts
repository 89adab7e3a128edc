// What is redacted in one text: values that a pointer has taken out of the structured content, and matches of patterns.
// A text that is JSON is read as such, so that an escape in it hides nothing.

import type { Json } from '#core/json.ts';
import { parseStrictJson, RESPONSE_RULES } from '#core/strict-json.ts';
import { editJson } from '#ext-proc/message/edit-json.ts';
import { redactData, type TextRedactor } from '#ext-proc/transforms/redact-values.ts';
import type { PatternRule } from '#ext-proc/transforms/redaction-plan.ts';
import { replaceMatches } from '#ext-proc/transforms/text-pattern.ts';

/** A value that was taken out by a pointer, as a text that repeats it would write it. */
export type TakenValue = { readonly value: string; readonly replacement: string; readonly name: string };

/** Hears how often a redaction, by its name, has replaced something. */
export type Tally = (name: string, count: number) => void;

/** Characters of a text times values it is searched for: about 50 ms. */
const MAX_SEARCH = 64 * 1024 * 1024;

/** A shorter value would be found within other words. */
const WITHIN_WORDS = 4;

const WORD = /[\p{L}\p{N}_]/u;

const isWord = (character: string | undefined): boolean => character !== undefined && WORD.test(character);

const replaceValue = (text: string, { value, replacement }: TakenValue): readonly [string, number] => {
  const parts: string[] = [];
  let from = 0;
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at)) {
    const end = at + value.length;
    if (value.length < WITHIN_WORDS && (isWord(text[at - 1]) || isWord(text[end]))) {
      at += 1;
      continue;
    }
    parts.push(text.slice(from, at), replacement);
    from = end;
    at = end;
  }
  return parts.length === 0 ? [text, 0] : [parts.join('') + text.slice(from), parts.length / 2];
};

/** The JSON document, object or array, that a text is; undefined where it is none, or could be read in two ways. */
export const documentIn = (text: string): Json | undefined => {
  if (!/^\s*[[{]/.test(text)) return undefined;
  const parsed = parseStrictJson(Buffer.from(text), RESPONSE_RULES);
  return parsed.ok ? parsed.value : undefined;
};

/**
 * @param taken searched for in this order; where they are too many for the length of a text, all of the text is replaced.
 */
export const createTextRedactor = (
  patterns: readonly PatternRule[],
  taken: readonly TakenValue[],
  tally: Tally,
): TextRedactor => {
  const withoutTaken = (text: string): string => {
    const [first] = taken;
    if (first !== undefined && text.length * taken.length > MAX_SEARCH) {
      tally(first.name, 1);
      return first.replacement;
    }
    let left = text;
    for (const value of taken) {
      const [replaced, count] = replaceValue(left, value);
      if (count > 0) tally(value.name, count);
      left = replaced;
    }
    return left;
  };
  const plain = (text: string): string => {
    let left = withoutTaken(text);
    for (const { name, pattern, replacement } of patterns) {
      const replaced = replaceMatches(left, pattern, replacement);
      if (replaced.count > 0) tally(name, replaced.count);
      left = replaced.text;
    }
    return left;
  };
  const redactor: TextRedactor = {
    plain,
    text: (text) => {
      const document = documentIn(text);
      return document === undefined ? plain(text) : editJson(text, redactData(document, redactor));
    },
  };
  return redactor;
};
