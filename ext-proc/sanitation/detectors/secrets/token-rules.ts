// Finds tokens that begin with letters of their issuer's choosing. A text without those letters is done with after one
// search for them, and where they stand a bounded pattern is tried: no text makes it slow.

import type { Finding } from '#ext-proc/sanitation/detector.ts';

export type TokenRule = {
  readonly kind: string;
  /** Every token of the kind begins with one of them. */
  readonly starts: readonly string[];
  /** Sticky, bounded; tried where a start stands. */
  readonly form: RegExp;
};

/** Letters, digits, `_` and `-`: a token does not begin in the middle of them. */
export const isTokenCharacter = (code: number): boolean =>
  (code >= 97 && code <= 122) ||
  (code >= 48 && code <= 57) ||
  (code >= 65 && code <= 90) ||
  code === 95 ||
  code === 45;

/** End of what a sticky pattern matches at a place; -1 where it does not. */
export const endOfMatch = (form: RegExp, text: string, at: number): number => {
  form.lastIndex = at;
  return form.test(text) ? form.lastIndex : -1;
};

const findFrom = (text: string, start: string, rule: TokenRule, findings: Finding[]): void => {
  for (let at = text.indexOf(start); at !== -1; ) {
    const end = isTokenCharacter(text.charCodeAt(at - 1)) ? -1 : endOfMatch(rule.form, text, at);
    if (end !== -1) findings.push({ kind: rule.kind, start: at, end });
    at = text.indexOf(start, end === -1 ? at + start.length : end);
  }
};

export const findTokens = (text: string, rules: readonly TokenRule[], findings: Finding[]): void => {
  for (const rule of rules) for (const start of rule.starts) findFrom(text, start, rule, findings);
};
