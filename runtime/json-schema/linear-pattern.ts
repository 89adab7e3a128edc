// Regular expressions of a schema, matched in linear time (RE2): a server that writes `(a+)+$` into its schema must not
// be able to hold up the gateway with the answer it then sends.

import { RE2JS, RE2JSException } from 're2js';
import { expandedSize } from '#runtime/json-schema/pattern-size.ts';
import type { Run } from '#runtime/json-schema/run.ts';
import { unusable } from '#runtime/json-schema/unusable.ts';

export type LinearPattern = { test(text: string, run: Run): boolean };

/** Longest expression, characters. */
const MAX_SOURCE = 1024;
/** Instructions of all patterns of a schema. */
const MAX_INSTRUCTIONS = 20_000;
/** Characters, and instructions of the pattern, that cost about as much as one step. */
const CHARACTERS_A_STEP = 4;
const INSTRUCTIONS_A_STEP = 512;

const compile = (source: string): RE2JS => {
  if (source.length > MAX_SOURCE || expandedSize(source) > MAX_INSTRUCTIONS) return unusable('pattern');
  try {
    return RE2JS.compile(RE2JS.translateRegExp(source));
  } catch (thrown) {
    // Look-around and back-references have no linear-time form.
    if (thrown instanceof RE2JSException) return unusable('pattern');
    throw thrown;
  }
};

/** What makes the patterns of one schema. Throws UnusableSchema. */
export const createPatterns = (): ((source: string) => LinearPattern) => {
  const known = new Map<string, LinearPattern>();
  let instructions = 0;
  const make = (source: string): LinearPattern => {
    const pattern = compile(source);
    const size = pattern.programSize();
    instructions += size;
    if (instructions > MAX_INSTRUCTIONS) return unusable('pattern');
    const price = (1 + size / INSTRUCTIONS_A_STEP) / CHARACTERS_A_STEP;
    return {
      test: (text, run) => {
        run.spend((1 + text.length) * price);
        return pattern.test(text);
      },
    };
  };
  return (source) => {
    const pattern = known.get(source) ?? make(source);
    known.set(source, pattern);
    return pattern;
  };
};
