// Keywords that look at one value without going into it (JSON Schema 2020-12 Validation, §6.1 to §6.3). `format` is not
// among them: by that text it is an annotation.

import { canonicalJson } from '#core/canonical-json.ts';
import { isJsonObject, type Json } from '#core/json.ts';
import {
  arrayFrom,
  countFrom,
  type Keyword,
  type Keywords,
  numberFrom,
  stringFrom,
} from '#runtime/json-schema/keyword.ts';
import type { Check, Run } from '#runtime/json-schema/run.ts';
import { unusable } from '#runtime/json-schema/unusable.ts';

const TYPES: Readonly<Record<string, (value: Json) => boolean>> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  array: (value) => Array.isArray(value),
  object: isJsonObject,
};

const typeNamed = (name: Json): ((value: Json) => boolean) => {
  const isOfType = typeof name === 'string' && Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  return isOfType ?? unusable('keyword');
};

const type: Keyword = (value) => {
  const names = new Set(Array.isArray(value) ? (value as readonly Json[]) : [value]);
  const types = [...names].map(typeNamed);
  const [only] = types;
  if (only === undefined) return unusable('keyword');
  if (types.length === 1) return (given, run) => only(given) || run.fail('type');
  return (given, run) => types.some((isOfType) => isOfType(given)) || run.fail('type');
};

/** Characters of a text that cost about as much as one step: to write it canonically, to count its code points. */
const WRITTEN_A_STEP = 8;
const COUNTED_A_STEP = 16;

const isContainer = (value: Json): boolean => typeof value === 'object' && value !== null;

/** The one text of a value: equal values have equal ones. */
export const canonicalOf = (value: Json, run: Run): string => {
  const text = canonicalJson(value);
  run.spend(text.length / WRITTEN_A_STEP);
  return text;
};

const isOneOf = (values: readonly Json[], keyword: string): Check => {
  const scalars = new Set(values.filter((value) => !isContainer(value)));
  const containers = new Set(values.filter(isContainer).map(canonicalJson));
  return (value, run) => {
    const found = isContainer(value)
      ? containers.size > 0 && containers.has(canonicalOf(value, run))
      : scalars.has(value);
    return found || run.fail(keyword);
  };
};

const bound =
  (keyword: string, fits: (value: number, limit: number) => boolean): Keyword =>
  (value) => {
    const limit = numberFrom(value);
    return (given, run) => typeof given !== 'number' || fits(given, limit) || run.fail(keyword);
  };

/** How far a quotient may be from a whole number: 19.99 is a multiple of 0.01, whatever binary fractions make of it. */
const QUOTIENT_TOLERANCE = 1e-6;

const isMultiple = (value: number, divisor: number): boolean => {
  const quotient = value / divisor;
  if (!Number.isFinite(quotient)) return value % divisor === 0;
  return Math.abs(Math.round(quotient) - quotient) <= QUOTIENT_TOLERANCE;
};

const multipleOf: Keyword = (value) => {
  const divisor = numberFrom(value);
  if (divisor <= 0) return unusable('keyword');
  return (given, run) => typeof given !== 'number' || isMultiple(given, divisor) || run.fail('multipleOf');
};

// Lengths are in code points, of which a text has at most as many as UTF-16 units and at least half of that.
const codePoints = (text: string, run: Run): number => {
  run.spend(text.length / COUNTED_A_STEP);
  let count = 0;
  for (const _ of text) count += 1;
  return count;
};

const maxLength: Keyword = (value) => {
  const limit = countFrom(value);
  return (given, run) =>
    typeof given !== 'string' ||
    given.length <= limit ||
    (given.length <= 2 * limit && codePoints(given, run) <= limit) ||
    run.fail('maxLength');
};

const minLength: Keyword = (value) => {
  const limit = countFrom(value);
  return (given, run) =>
    typeof given !== 'string' ||
    given.length >= 2 * limit ||
    (given.length >= limit && codePoints(given, run) >= limit) ||
    run.fail('minLength');
};

const pattern: Keyword = (value, site) => {
  const expression = site.pattern(stringFrom(value));
  return (given, run) => typeof given !== 'string' || expression.test(given, run) || run.fail('pattern');
};

export const VALUE_KEYWORDS: Keywords = {
  type,
  enum: (value) => isOneOf(arrayFrom(value), 'enum'),
  const: (value) => isOneOf([value], 'const'),
  maximum: bound('maximum', (value, limit) => value <= limit),
  minimum: bound('minimum', (value, limit) => value >= limit),
  exclusiveMaximum: bound('exclusiveMaximum', (value, limit) => value < limit),
  exclusiveMinimum: bound('exclusiveMinimum', (value, limit) => value > limit),
  multipleOf,
  maxLength,
  minLength,
  pattern,
};
