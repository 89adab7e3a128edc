// Whether redactions can be carried out: patterns that compile in RE2, in linear time and small, pointers that are ones.

import { RE2JS } from 're2js';
import { parsePointer } from '#core/json-pointer.ts';
import type { Redaction } from '#core/response-guard.ts';
import type { Fault } from '#registry/commands/outcome.ts';

/** Instructions of all patterns of a server: a few characters can stand for a thousand (`a{1000}`). */
const MAX_INSTRUCTIONS = 20_000;

const compile = (pattern: string): RE2JS | undefined => {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return undefined;
  }
};

/** In the first text everything is of no length; in the second `\b` and its like are. */
const PROBES = ['', 'a b'] as const;

const matchesNothing = (expression: RE2JS): boolean =>
  PROBES.some((text) => {
    const matcher = expression.matcher(text);
    return matcher.find() && matcher.end() === matcher.start();
  });

const judgePattern = (pattern: string): readonly string[] => {
  const expression = compile(pattern);
  if (expression === undefined)
    return ['is no regular expression of RE2: look-around and back-references are none'];
  return matchesNothing(expression) ? ['matches a text of no length, so it would redact nothing'] : [];
};

/** Faults of a redaction's `pattern` or `pointer`. @param at pointer of the redaction. */
export const judgeRedaction = ({ pattern, pointer }: Redaction, at: string): Fault[] => {
  if ((pattern === undefined) === (pointer === undefined))
    return [{ pointer: at, message: 'exactly one of pattern, pointer is given' }];
  if (pattern !== undefined)
    return judgePattern(pattern).map((message) => ({ pointer: `${at}/pattern`, message }));
  return judgePointer(pointer ?? '', `${at}/pointer`);
};

/** The schema sees the form; whether it leads deeper than any answer is seen here. */
export const judgePointer = (pointer: string, at: string): Fault[] =>
  parsePointer(pointer) === undefined
    ? [{ pointer: at, message: 'is no JSON Pointer (RFC 6901) of 64 tokens at most' }]
    : [];

/** All patterns of a server together, which every ext-proc holds in memory. */
export const judgePatternSizes = (redactions: readonly Redaction[]): Fault[] => {
  const sizes = redactions.map(({ pattern = '' }) => compile(pattern)?.programSize() ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0) > MAX_INSTRUCTIONS
    ? [
        {
          pointer: '/responseGuard/redactions',
          message: 'patterns are too large together: repeat less in them',
        },
      ]
    : [];
};
