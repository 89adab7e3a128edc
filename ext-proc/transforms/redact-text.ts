// What is redacted in one text: values that a pointer has taken out of the structured content, and matches of patterns.
// A text that is JSON is read as such, so that an escape in it hides nothing.

import type { Json } from '#core/json.ts';
import { parseStrictJson, RESPONSE_RULES } from '#core/strict-json.ts';
import { editJson } from '#ext-proc/message/edit-json.ts';
import { redactData, type TextRedactor } from '#ext-proc/transforms/redact-values.ts';
import type { PatternRule } from '#ext-proc/transforms/redaction-plan.ts';
import { createTakenSearch, type TakenValue, type Tally } from '#ext-proc/transforms/taken-values.ts';
import { replaceMatches } from '#ext-proc/transforms/text-pattern.ts';

/** The JSON document, object or array, that a text is; undefined where it is none, or could be read in two ways. */
export const documentIn = (text: string): Json | undefined => {
  if (!/^\s*[[{]/.test(text)) return undefined;
  const parsed = parseStrictJson(Buffer.from(text), RESPONSE_RULES);
  return parsed.ok ? parsed.value : undefined;
};

/** @param taken goes first: a pattern could leave half of one. */
export const createTextRedactor = (
  patterns: readonly PatternRule[],
  taken: readonly TakenValue[],
  tally: Tally,
): TextRedactor => {
  const withoutTaken = createTakenSearch(taken, tally);
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
