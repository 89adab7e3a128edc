import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
import { judgeBySchema } from '#runtime/json-schema/judge-by-schema.ts';
import { faultPointer, type UnusableCause } from '#runtime/json-schema/verdict.ts';

const judge = (schema: JsonObject, value: Json) =>
  judgeBySchema(schema, value, { textLength: JSON.stringify(value).length });

/** `valid`, or keyword and pointer of the fault, or what else came of it. */
const say = (schema: JsonObject, value: Json): string => {
  const verdict = judge(schema, value);
  if (verdict.kind === 'invalid') return `${verdict.fault.keyword} at ${faultPointer(verdict.fault) || '/'}`;
  return verdict.kind === 'unusable' ? `unusable: ${verdict.cause}` : verdict.kind;
};

/** As a literal key it would look like a promise's. */
const THEN = 'then';

const ORDER = {
  type: 'object',
  properties: {
    id: { type: 'integer', minimum: 1 },
    lines: {
      type: 'array',
      items: { $ref: '#/$defs/line' },
      minItems: 1,
      uniqueItems: true,
    },
    note: { anyOf: [{ type: 'string', maxLength: 5 }, { type: 'null' }] },
    kind: { const: 'order' },
    state: { enum: ['open', 'closed', { other: 1 }] },
    price: { multipleOf: 0.01 },
  },
  required: ['id'],
  additionalProperties: false,
  $defs: { line: { type: 'object', properties: { sku: { pattern: '^[A-Z]{2}$' } }, required: ['sku'] } },
} satisfies JsonObject;

describe('judgeBySchema', () => {
  it.each<[Json, string]>([
    [{ id: 1 }, 'valid'],
    [{ id: 1, lines: [{ sku: 'AB' }, { sku: 'CD' }] }, 'valid'],
    [{}, 'required at /id'],
    [{ id: '1' }, 'type at /id'],
    [{ id: 0 }, 'minimum at /id'],
    [{ id: 1.5 }, 'type at /id'],
    [{ id: 1, lines: [] }, 'minItems at /lines'],
    [{ id: 1, lines: [{ sku: 'AB' }, { sku: 'ab' }] }, 'pattern at /lines/1/sku'],
    [{ id: 1, lines: [{ sku: 'AB' }, {}] }, 'required at /lines/1/sku'],
    [{ id: 1, lines: [{ sku: 'AB' }, { sku: 'AB' }] }, 'uniqueItems at /lines'],
    [{ id: 1, note: 'abcdef' }, 'anyOf at /note'],
    [{ id: 1, note: '😀😀😀😀😀' }, 'valid'],
    [{ id: 1, kind: 'other' }, 'const at /kind'],
    [{ id: 1, state: { other: 1 } }, 'valid'],
    [{ id: 1, state: 'gone' }, 'enum at /state'],
    [{ id: 1, price: 19.99 }, 'valid'],
    [{ id: 1, price: 19.999 }, 'multipleOf at /price'],
    [{ id: 1, 'alice@example.com': 1 }, 'additionalProperties at /*'],
    [[], 'type at /'],
  ])('tells of %j: %s', (value, verdict) => {
    expect(say(ORDER, value)).toBe(verdict);
  });

  it.each<[string, JsonObject, Json, string]>([
    ['prefixItems', { prefixItems: [{ type: 'string' }], items: false }, ['a', 1], 'items at /1'],
    [
      'items as a list',
      { items: [{ type: 'string' }], additionalItems: false },
      ['a', 1],
      'additionalItems at /1',
    ],
    ['contains', { contains: { const: 1 }, maxContains: 1 }, [1, 2, 1], 'maxContains at /'],
    ['contains nothing', { contains: { const: 1 } }, [2], 'contains at /'],
    ['minContains 0', { contains: { const: 1 }, minContains: 0 }, [2], 'valid'],
    ['if and then', { if: { required: ['a'] }, [THEN]: { required: ['b'] } }, { a: 1 }, 'required at /b'],
    ['if and else', { if: { required: ['a'] }, else: { required: ['b'] } }, { a: 1 }, 'valid'],
    ['not', { not: { type: 'string' } }, 'a', 'not at /'],
    ['oneOf', { oneOf: [{ type: 'number' }, { minimum: 2 }] }, 3, 'oneOf at /'],
    ['dependentRequired', { dependentRequired: { a: ['b'] } }, { a: 1 }, 'dependentRequired at /b'],
    [
      'dependentSchemas',
      { dependentSchemas: { a: { maxProperties: 1 } } },
      { a: 1, b: 2 },
      'maxProperties at /',
    ],
    ['dependencies', { dependencies: { a: ['b'], c: { required: ['d'] } } }, { c: 1 }, 'required at /d'],
    ['propertyNames', { propertyNames: { maxLength: 2 } }, { abc: 1 }, 'maxLength at /*'],
    ['patternProperties', { patternProperties: { '^x': { type: 'number' } } }, { xy: 'a' }, 'type at /*'],
    [
      'unevaluatedProperties across allOf',
      { allOf: [{ properties: { a: true } }], properties: { b: true }, unevaluatedProperties: false },
      { a: 1, b: 1, c: 1 },
      'unevaluatedProperties at /*',
    ],
    [
      'unevaluatedProperties after a branch that does not fit',
      { anyOf: [{ properties: { a: { const: 1 } }, required: ['a'] }, true], unevaluatedProperties: false },
      { a: 2 },
      'unevaluatedProperties at /*',
    ],
    [
      'unevaluatedItems',
      { prefixItems: [true], contains: { const: 2 }, unevaluatedItems: false },
      [1, 2, 3],
      'unevaluatedItems at /2',
    ],
    ['a schema that is false', { properties: { a: false } }, { a: 1 }, 'properties at /a'],
    ['format, which is no rule', { format: 'email' }, 'not one', 'valid'],
    ['keywords nobody knows', { 'x-mcp-header': 'Region', deprecated: true }, 1, 'valid'],
    ['an anchor', { $ref: '#a', $defs: { x: { $anchor: 'a', type: 'null' } } }, 1, 'type at /'],
    [
      'an embedded resource',
      {
        $id: 'https://a.example/s',
        $ref: 'item',
        $defs: { x: { $id: 'item', $ref: '#/$defs/y', $defs: { y: { type: 'null' } } } },
      },
      1,
      'type at /',
    ],
    [
      'draft 7 by name',
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        definitions: { a: { type: 'null' } },
        $ref: '#/definitions/a',
      },
      1,
      'type at /',
    ],
    ['tokens with a slash', { properties: { 'a/b~': { type: 'null' } } }, { 'a/b~': 1 }, 'type at /a~1b~0'],
    ['1e308 by 0.5', { multipleOf: 0.5 }, 1e308, 'valid'],
  ])('knows %s', (_, schema, value, verdict) => {
    expect(say(schema, value)).toBe(verdict);
  });

  it('resolves $dynamicRef by the outermost schema that has the anchor', () => {
    const tree = {
      $id: 'https://a.example/tree',
      $dynamicAnchor: 'node',
      properties: { data: true, children: { items: { $dynamicRef: '#node' } } },
    };
    const strict = {
      $id: 'https://a.example/strict',
      $dynamicAnchor: 'node',
      $ref: 'tree',
      unevaluatedProperties: false,
      $defs: { tree },
    };
    expect(say(strict, { children: [{ data: 1 }] })).toBe('valid');
    expect(say(strict, { children: [{ daat: 1 }] })).toBe('unevaluatedProperties at /children/0/*');
  });

  it('looks at own members only, whatever objects inherit', () => {
    const schema = {
      properties: { constructor: { type: 'string' } },
      unevaluatedProperties: false,
    } satisfies JsonObject;
    expect(say(schema, {})).toBe('valid');
    expect(say({ required: ['toString'] }, {})).toBe('required at /toString');
    expect(say(schema, { toString: 1 })).toBe('unevaluatedProperties at /*');
    const sent = JSON.parse('{"__proto__":{"a":1}}') as Json;
    expect(say({ required: ['a'] }, sent)).toBe('required at /a');
    expect(say({ additionalProperties: false }, sent)).toBe('additionalProperties at /*');
  });

  it('runs nothing of what a schema is called', () => {
    const name = '"];process.exit(1)//';
    expect(say({ properties: { [name]: { type: 'null' } }, required: [name] }, { [name]: 1 })).toContain(
      'type at',
    );
    expect(say({ properties: { [name]: true }, required: [name] }, {})).toContain('required at');
  });

  it.each<[string, UnusableCause, JsonObject]>([
    ['a reference to another host', 'reference', { $ref: 'https://evil.example/schema' }],
    ['a reference to a file', 'reference', { $ref: 'file:///etc/passwd' }],
    ['a reference to nothing', 'reference', { $ref: '#/$defs/none' }],
    ['a reference through a prototype', 'reference', { $ref: '#/constructor' }],
    ['one name for two places', 'reference', { $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x' } } }],
    ['a look-ahead', 'pattern', { pattern: '(?=a)b' }],
    ['a back-reference', 'pattern', { patternProperties: { '(a)\\1': true } }],
    [
      'patterns without end',
      'pattern',
      { allOf: Array.from({ length: 30 }, (_, n) => ({ pattern: `a{1000}${n}` })) },
    ],
    ['a group a thousand times', 'pattern', { pattern: `(((${'ab'.repeat(100)}){10}){10}){10}` }],
    ['counts in a row', 'pattern', { pattern: 'a{1000}'.repeat(100) }],
    ['a long pattern', 'pattern', { pattern: 'a{1000}'.repeat(200) }],
    ['a dialect nobody knows', 'dialect', { $schema: 'https://evil.example/dialect' }],
    ['draft 4', 'dialect', { $schema: 'http://json-schema.org/draft-04/schema#' }],
    ['a keyword with a wrong value', 'keyword', { required: true }],
    ['a type that is none', 'keyword', { type: 'any' }],
    ['a schema that is none', 'keyword', { properties: { a: 1 } }],
    ['a prototype', 'keyword', JSON.parse('{"properties":{"__proto__":{"type":"string"}}}') as JsonObject],
    ['too many values', 'size', { enum: Array.from({ length: 30_000 }, (_, n) => n) }],
    ['too much text', 'size', { description: 'a'.repeat(600_000) }],
    ['too deep a nest', 'size', Array.from({ length: 100 }).reduce<JsonObject>((not) => ({ not }), {})],
  ])('does not use %s', (_, cause, schema) => {
    expect(judge(schema, { a: 1 })).toEqual({ kind: 'unusable', cause });
  });

  const nested = (depth: number): Json => Array.from({ length: depth }).reduce<Json>((inner) => [inner], 1);

  it.each<[string, JsonObject, Json]>([
    ['a reference to itself', { $ref: '#' }, 1],
    [
      'two references in a circle',
      { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      1,
    ],
    [
      'a branch into itself twice, a level down',
      { items: { oneOf: [{ $ref: '#' }, { $ref: '#' }] } },
      nested(60),
    ],
    [
      'the same by $dynamicRef',
      {
        $dynamicAnchor: 'x',
        items: { anyOf: [{ allOf: [{ $dynamicRef: '#x' }, false] }, { $dynamicRef: '#x' }] },
      },
      nested(60),
    ],
    [
      'a chain that doubles at each link',
      {
        $ref: '#/$defs/d0',
        $defs: Object.fromEntries(
          Array.from({ length: 40 }, (_, n) => [
            `d${n}`,
            n === 39 ? true : { allOf: [{ $ref: `#/$defs/d${n + 1}` }, { $ref: `#/$defs/d${n + 1}` }] },
          ]),
        ),
      },
      1,
    ],
    [
      'thousands of branches for each of many items',
      { items: { anyOf: [...Array.from({ length: 9000 }, () => ({ const: 1 })), true] } },
      Array.from({ length: 1000 }, () => 2),
    ],
    [
      'a long text against many patterns',
      { allOf: Array.from({ length: 40 }, (_, n) => ({ pattern: `(.*a){20}(?:${n})?` })) },
      'a'.repeat(20_000),
    ],
  ])('gives up on %s', (_, schema, value) => {
    expect(judge(schema, value)).toEqual({ kind: 'exhausted' });
  });

  it('does not give up on honest work', () => {
    const people = Array.from({ length: 5000 }, (_, n) => ({ id: n, mail: `someone-${n}@mail.example` }));
    const schema = {
      type: 'array',
      uniqueItems: true,
      items: {
        type: 'object',
        properties: {
          id: { type: 'integer' },
          mail: { type: 'string', pattern: '^[^@]{1,64}@[a-z0-9.-]{1,255}$' },
        },
        required: ['id', 'mail'],
        additionalProperties: false,
      },
    } satisfies JsonObject;
    expect(say(schema, people)).toBe('valid');
    const chain = {
      $ref: '#/$defs/n',
      $defs: { n: { properties: { next: { $ref: '#/$defs/n' } }, additionalProperties: false } },
    };
    expect(
      say(
        chain,
        Array.from({ length: 60 }).reduce<Json>((next) => ({ next }), {}),
      ),
    ).toBe('valid');
  });
});
