// JSON Pointer as RFC 6901 has it, and nothing inherited.

import { describe, expect, it } from 'vitest';
import type { Json } from '#core/json.ts';
import { findByPointer, parsePointer } from '#ext-authz/policy/json-pointer.ts';

// The document and the answers of RFC 6901 §5.
const DOCUMENT: Json = JSON.parse(
  '{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8}',
);

const find = (document: Json, pointer: string): Json | undefined => {
  const tokens = parsePointer(pointer);
  if (!tokens.ok) throw new Error(tokens.error);
  return findByPointer(document, tokens.value);
};

describe('parsePointer and findByPointer', () => {
  it.each<[string, Json]>([
    ['', DOCUMENT],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('finds %j as RFC 6901 says', (pointer, value) => {
    expect(find(DOCUMENT, pointer)).toEqual(value);
  });

  it('restores ~01 to ~1, not to a slash', () => {
    expect(find({ '~1': 'tilde', '/': 'slash' }, '/~01')).toBe('tilde');
  });

  it.each(['/foo/2', '/foo/-', '/foo/01', '/foo/+1', '/foo/1e0', '/foo/-1', '/foo/length', '/foo/0/0'])(
    'leads nowhere at %s',
    (pointer) => {
      expect(find(DOCUMENT, pointer)).toBeUndefined();
    },
  );

  it.each(['/__proto__', '/constructor', '/toString', '/constructor/name'])(
    'sees nothing inherited at %s',
    (pointer) => {
      expect(find({}, pointer)).toBeUndefined();
    },
  );

  it('sees a member called __proto__ if the caller sent one', () => {
    expect(find(JSON.parse('{"__proto__":{"x":1}}'), '/__proto__/x')).toBe(1);
  });

  it('finds null and false, which are values', () => {
    expect(find({ a: null, b: false }, '/a')).toBeNull();
    expect(find({ a: null, b: false }, '/b')).toBe(false);
  });

  it.each(['foo', '#/foo', '/a~', '/a~2b'])('refuses %s, which is no pointer', (pointer) => {
    expect(parsePointer(pointer).ok).toBe(false);
  });
});
