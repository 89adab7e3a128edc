// Unit and property tests of strict-json.ts: what it accepts, every parser reads alike.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeJsonFault, parseStrictJson, REQUEST_RULES, RESPONSE_RULES } from '#core/strict-json.ts';
import { cpuTimeOf } from '#test/support/cpu-time.ts';

const parse = (text: string) => parseStrictJson(Buffer.from(text), REQUEST_RULES);
const reasonOf = (bytes: Uint8Array) => {
  const result = parseStrictJson(bytes, REQUEST_RULES);
  return result.ok ? 'accepted' : result.error.reason;
};

describe('parseStrictJson()', () => {
  it.each([
    '{}',
    ' [1, -2.5e3, "a\\n\\"\\\\", null, true, {"a": {"a": [{"a": 1}, {"a": 2}]}}] ',
    '"\\ud83d\\ude00"',
    '9007199254740991',
    '{"a":"b","b":"a"}',
    '{"":0}',
    '["a:b,c{","a:b,c{"]',
    '{"text":"\\u0000 is data in a value"}',
    '{"a\\\\":1,"a":2}',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  it.each([
    ['a repeated key', '{"a":1,"a":1}', 'json_duplicate_key'],
    ['a repeated key by escape', '{"method":1,"\\u006dethod":2}', 'json_duplicate_key'],
    ['a repeated key by an escaped slash', '{"a/b":1,"a\\/b":2}', 'json_duplicate_key'],
    ['a repeated key in an array element', '{"l":[{"a":1,"a":2}]}', 'json_duplicate_key'],
    ['a repeated key after a nested object', '{"a":{"b":{}},"a":1}', 'json_duplicate_key'],
    ['a repeated key after an array', '{"a":[1,{"x":1},"y"],"b":0,"a":1}', 'json_duplicate_key'],
    ['__proto__', '{"a":[{"__proto__":{"amount":9999}}]}', 'json_ambiguous_key'],
    ['__proto__ by escape', '{"__pr\\u006fto__":1}', 'json_ambiguous_key'],
    ['a repeated empty key', '{"":1,"":2}', 'json_duplicate_key'],
    ['a byte-order mark', '\ufeff{}', 'json_invalid'],
    ['a second document', '{}{}', 'json_invalid'],
    ['a trailing NUL', '{}\u0000', 'json_invalid'],
    ['nothing', '', 'json_invalid'],
    ['a comment', '{/**/}', 'json_invalid'],
    ['a trailing comma', '[1,]', 'json_invalid'],
    ['NaN', 'NaN', 'json_invalid'],
    ['a leading zero', '01', 'json_invalid'],
    ['a raw newline in a string', '"a\nb"', 'json_invalid'],
    ['an unterminated string', '{"a', 'json_invalid'],
    ['a bad escape', '{"\\x":1}', 'json_invalid'],
    ['half a surrogate pair in a value', '["\\ud800"]', 'json_invalid'],
    ['half a surrogate pair in a key', '{"\\udc00":1}', 'json_invalid'],
    ['NUL in a key', '{"name\\u0000":1}', 'json_invalid'],
    ['an integer that would be rounded', '[9007199254740993]', 'json_invalid'],
    ['a negative integer that would be rounded', '-9007199254740992', 'json_invalid'],
    ['a number that overflows', '1e400', 'json_invalid'],
    ['nesting of 65', `${'['.repeat(65)}${']'.repeat(65)}`, 'json_too_deep'],
    ['a bomb of brackets that never closes', '{"a":'.repeat(100_000), 'json_too_deep'],
  ])('refuses %s', (_what, text, reason) => {
    expect(reasonOf(Buffer.from(text))).toBe(reason);
  });

  it.each([
    ['a stray continuation byte', [0x22, 0x80, 0x22]],
    ['an overlong slash', [0x22, 0xc0, 0xaf, 0x22]],
    ['an encoded surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('refuses %s as not UTF-8', (_what, bytes) => {
    expect(reasonOf(Buffer.from(bytes))).toBe('body_not_utf8');
  });

  it('takes nesting of exactly 64', () => {
    expect(parse(`${'['.repeat(64)}${']'.repeat(64)}`).ok).toBe(true);
  });

  it('says what is wrong with a key, and with which', () => {
    const say = (text: string) => {
      const result = parse(text);
      return result.ok ? '' : describeJsonFault(result.error);
    };
    expect(say('{"a":1,"a":2}')).toBe('key "a" is repeated');
    expect(say('{"__proto__":1}')).toBe('key "__proto__" is not read alike by all parsers');
    expect(say('{')).toBe('json invalid');
  });

  it('names the repeated key, cut short', () => {
    expect(parse('{"colour":1,"colour":2}')).toMatchObject({ ok: false, error: { key: 'colour' } });
    const long = 'k'.repeat(500);
    const result = parse(`{"${long}":1,"${long}":2}`);
    expect(result.ok ? '' : result.error.key?.length).toBe(64);
  });

  it('lets a server answer large integers', () => {
    expect(parseStrictJson(Buffer.from('[9007199254740993]'), RESPONSE_RULES).ok).toBe(true);
    expect(parseStrictJson(Buffer.from('[1e400]'), RESPONSE_RULES).ok).toBe(false);
  });

  it('keeps __proto__ an ordinary key where a server answers with it', () => {
    const result = parseStrictJson(
      Buffer.from('{"__proto__":{"polluted":true},"constructor":1}'),
      RESPONSE_RULES,
    );
    if (!result.ok) throw new Error(result.error.reason);
    expect(Object.getPrototypeOf(result.value)).toBe(Object.prototype);
    expect(Object.keys(result.value as object)).toEqual(['__proto__', 'constructor']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('is linear in hostile text', () => {
    for (const text of ['\\"'.repeat(1_000_000), '"\\\\'.repeat(700_000), '-'.repeat(2_000_000)]) {
      const timeMs = cpuTimeOf(() => {
        expect(parse(`["${text}`).ok).toBe(false);
        expect(parse(text).ok).toBe(false);
      });
      expect(timeMs).toBeLessThan(2_000);
    }
  });
});

describe('compared with JSON.parse', () => {
  const readOrThrow = (text: string): unknown => {
    try {
      return { value: JSON.parse(text) };
    } catch {
      return 'refused';
    }
  };

  it('accepts any value JSON.stringify writes, with its very value', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: fc.constantFrom('a', '"', '\\', '/', 'é', '😀', ' ') }),
        (value) => {
          const text = JSON.stringify(value);
          const read = parseStrictJson(Buffer.from(text), RESPONSE_RULES);
          expect(read).toEqual({ ok: true, value: JSON.parse(text) });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never accepts what JSON.parse refuses, and never reads another value', () => {
    const piece = fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"a"', '"\\u0061"', '"b"', '1', '-', '0', '1e9', 'true', 'null', ' '],
      ...['"', '\\', '\\"', '\ufeff', '\u0000', '"\\ud800"', '.5', '{"a":1}', '[]'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join('');
        const result = parse(text);
        if (result.ok) expect({ value: result.value }).toEqual(readOrThrow(text));
      }),
      { numRuns: 20_000 },
    );
  });

  it('finds a repeated key wherever it is put', () => {
    const wrap = fc.constantFrom(
      (inner: string) => `[${inner}]`,
      (inner: string) => `[0,"x",${inner},{}]`,
      (inner: string) => `{"p":${inner}}`,
      (inner: string) => `{"p":[],"q":${inner},"r":"}"}`,
    );
    const escaped = (key: string) =>
      [...key].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
    fc.assert(
      fc.property(
        fc.array(wrap, { maxLength: 8 }),
        fc.constantFrom('name', 'k', 'constructor'),
        (wraps, key) => {
          const twice = `{"${key}":{"in":[1]},"other":"${key}","${escaped(key)}":2}`;
          const text = wraps.reduce((inner, outer) => outer(inner), twice);
          expect(reasonOf(Buffer.from(text))).toBe('json_duplicate_key');
        },
      ),
    );
  });
});
