// Random schemas and values, judged by us and by ajv, which compiles schemas to code and so is no choice for schemas of
// strangers, but knows the standard.

import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
import { judgeBySchema } from '#runtime/json-schema/judge-by-schema.ts';

const NAMES = ['a', 'b', 'constructor'];
const name = fc.constantFrom(...NAMES);
const scalar = fc.constantFrom<Json>(0, 1, 2.5, -1, 'a', 'ab', '', '😀', true, false, null);

const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
}));

/** As a literal key it would look like a promise's. */
const THEN = 'then';

const few = fc.nat({ max: 3 });
const map = <T>(of: fc.Arbitrary<T>) => fc.dictionary(name, of, { maxKeys: 2, noNullPrototype: true });

const keywords = (schema: fc.Arbitrary<Json>) => {
  const schemas = fc.array(schema, { minLength: 1, maxLength: 3 });
  return {
    type: fc.constantFrom<Json>(
      'object',
      'array',
      'string',
      'integer',
      ['number', 'null'],
      ['boolean', 'object'],
    ),
    enum: fc.array(value, { minLength: 1, maxLength: 3 }),
    const: value,
    minimum: few,
    exclusiveMaximum: few,
    multipleOf: fc.constantFrom(1, 0.5, 2),
    maxLength: few,
    minLength: few,
    pattern: fc.constantFrom('^a', 'b$', '^.{1,2}$', '[^a]'),
    maxItems: few,
    minItems: few,
    uniqueItems: fc.boolean(),
    prefixItems: schemas,
    items: schema,
    contains: schema,
    minContains: few,
    maxContains: few,
    maxProperties: few,
    minProperties: few,
    required: fc.uniqueArray(name, { maxLength: 2 }),
    dependentRequired: map(fc.uniqueArray(name, { maxLength: 2 })),
    properties: map(schema),
    patternProperties: fc.dictionary(fc.constantFrom('^a', 'o', ''), schema, {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    additionalProperties: schema,
    propertyNames: schema,
    dependentSchemas: map(schema),
    allOf: schemas,
    anyOf: schemas,
    oneOf: schemas,
    not: schema,
    if: schema,
    [THEN]: schema,
    else: schema,
    unevaluatedProperties: schema,
    $ref: fc.constantFrom('#/$defs/a', '#/$defs/b'),
  };
};

const oneOrTwoOf = (all: Readonly<Record<string, fc.Arbitrary<Json>>>): fc.Arbitrary<Json> =>
  fc
    .subarray(Object.keys(all), { minLength: 1, maxLength: 4 })
    .chain((chosen) =>
      fc.record(Object.fromEntries(chosen.map((key) => [key, all[key] as fc.Arbitrary<Json>]))),
    )
    .map((schema) => ({ ...schema }));

const leaf = (): fc.Arbitrary<Json> => {
  const { $ref: _, ...all } = keywords(fc.boolean());
  return fc.oneof({ weight: 1, arbitrary: fc.boolean() }, { weight: 4, arbitrary: oneOrTwoOf(all) });
};

const inner = oneOrTwoOf(keywords(fc.oneof(leaf(), fc.constant({ $ref: '#/$defs/a' }))));

const root = fc
  .record({ top: oneOrTwoOf(keywords(fc.oneof(inner, leaf()))), a: leaf(), b: leaf() })
  .map(({ top, a, b }) => ({ ...(top as JsonObject), $defs: { a, b } }));

/**
 * Where ajv 8 is not of the standard's mind: `contains` beside `prefixItems` in an empty list, or in an empty list that
 * follows another member's; `if` alone, whose members count as looked at, and `dependentSchemas` of a member that is absent;
 * `not: true` within another branch. (And `unevaluatedItems` after `contains`, which is left out above.)
 */
const MISJUDGED_THERE = [
  ['"contains"', '"prefixItems"'],
  ['"contains"', '"additionalProperties"'],
  ['"unevaluatedProperties"', '"if"'],
  ['"unevaluatedProperties"', '"dependentSchemas"'],
  ['"not":true'],
];

const isMisjudgedThere = (schema: JsonObject): boolean => {
  const text = JSON.stringify(schema);
  return MISJUDGED_THERE.some((words) => words.every((word) => text.includes(word)));
};

/**
 * Where ajv takes a member named `constructor` for the one that all objects inherit: as looked at, or, where values are
 * compared, as another type. Ours is what the standard says.
 */
const MISTAKEN_THERE = ['"unevaluatedProperties"', '"const"', '"enum"', '"uniqueItems"'];

const isMistakenThere = (schema: JsonObject): boolean => {
  const text = JSON.stringify(schema);
  return MISTAKEN_THERE.some((word) => text.includes(word));
};

/** Undefined where the code it makes of the schema throws, as with `unevaluatedProperties` under `anyOf` it may. */
const ajvSays = (schema: JsonObject, given: Json): boolean | undefined => {
  const ajv = new Ajv2020({
    strict: false,
    validateSchema: false,
    meta: false,
    ownProperties: true,
    multipleOfPrecision: 6,
    logger: false,
  });
  try {
    return ajv.validate(schema, given);
  } catch {
    return undefined;
  }
};

const without = (given: Json): Json =>
  JSON.parse(JSON.stringify(given).replaceAll('"constructor"', '"c"')) as Json;

describe('judgeBySchema and ajv', () => {
  it('agree about random schemas and values', () => {
    fc.assert(
      fc.property(root, value, (schema, sent) => {
        fc.pre(!isMisjudgedThere(schema));
        const given = isMistakenThere(schema) ? without(sent) : sent;
        const used = isMistakenThere(schema) ? (without(schema) as JsonObject) : schema;
        const ours = judgeBySchema(used, given, { textLength: 1000 });
        const theirs = ajvSays(used, given);
        fc.pre(theirs !== undefined);
        expect(ours.kind).toBe(theirs ? 'valid' : 'invalid');
      }),
      { numRuns: 400 },
    );
  });
});
