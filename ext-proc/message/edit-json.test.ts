import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '#core/json.ts';
import { editJson, type JsonEdit } from '#ext-proc/message/edit-json.ts';

describe('editJson', () => {
  it('leaves every byte of what no edit is about', () => {
    const text = '{"a": 1.50, "big":12345678901234567890 ,"deep":{ "x":[ "\\u00e9", 2 ],"y":1e3}}';
    expect(editJson(text, [{ path: ['deep', 'x', 1], value: 'two' }])).toBe(
      '{"a":1.50,"big":12345678901234567890,"deep":{"x":["\\u00e9","two"],"y":1e3}}',
    );
  });

  it.each<[string, string, readonly JsonEdit[], string]>([
    ['replaces the root', '{"a":1}', [{ path: [], value: [] }], '[]'],
    ['takes out a member', '{"a":1,"b":2}', [{ path: ['a'], value: undefined }], '{"b":2}'],
    ['takes out the only member', '{"a":1}', [{ path: ['a'], value: undefined }], '{}'],
    ['takes out elements', '[1,2,3]', [0, 2].map((at) => ({ path: [at], value: undefined })), '[2]'],
    ['adds a member', '{"a":{}}', [{ path: ['a', 'b'], value: true }], '{"a":{"b":true}}'],
    ['adds none without a value', '{"a":1}', [{ path: ['b'], value: undefined }], '{"a":1}'],
    ['knows escaped keys', '{"\\u0061":1}', [{ path: ['a'], value: 2 }], '{"a":2}'],
    ['knows empty keys', '{"":1}', [{ path: [''], value: 2 }], '{"":2}'],
    [
      'gives no member the name of another',
      '{"x":1,"b":2,"y":3,"b 2":4}',
      [
        { path: ['x'], key: 'b' },
        { path: ['y'], key: 'b' },
      ],
      '{"b 3":1,"b":2,"b 4":3,"b 2":4}',
    ],
    ['keeps __proto__ a key', '{"__proto__":1,"a":1}', [{ path: ['a'], value: 2 }], '{"__proto__":1,"a":2}'],
  ])('%s', (_, text, edits, expected) => {
    expect(editJson(text, edits)).toBe(expected);
  });

  const placesOf = (
    value: Json,
    path: readonly (string | number)[] = [],
  ): (readonly (string | number)[])[] =>
    value === null || typeof value !== 'object'
      ? [path]
      : [
          path,
          ...Object.entries(value).flatMap(([key, member]) =>
            placesOf(member as Json, [...path, Array.isArray(value) ? Number(key) : key]),
          ),
        ];

  const setAt = (value: unknown, [step, ...rest]: readonly (string | number)[], to: Json): unknown => {
    if (step === undefined) return to;
    const copy = structuredClone(value) as Record<string | number, unknown>;
    copy[step] = setAt(copy[step], rest, to);
    return copy;
  };

  it('does what setting the value would do, whatever the white space', () => {
    const values = fc.jsonValue({ maxDepth: 4 });
    fc.assert(
      fc.property(values, fc.nat(), fc.jsonValue({ maxDepth: 1 }), fc.nat(3), (value, pick, to, indent) => {
        const whole = JSON.parse(JSON.stringify(value)) as Json;
        const places = placesOf(whole).filter((path) => !path.includes('__proto__'));
        const path = places[pick % places.length] ?? [];
        const edited = editJson(JSON.stringify(whole, null, indent), [{ path, value: to as Json }]);
        expect(JSON.parse(edited)).toEqual(JSON.parse(JSON.stringify(setAt(whole, path, to as Json))));
      }),
    );
  });
});
