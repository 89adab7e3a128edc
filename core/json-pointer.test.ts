// Pointers with `*`, and pointers made to lead out of the document.

import { describe, expect, it } from 'vitest';
import type { Json } from '#core/json.ts';
import { parsePointer, placesOf } from '#core/json-pointer.ts';

const pathsOf = (root: Json, pointer: string) =>
  placesOf(root, parsePointer(pointer) ?? []).map(({ path }) => path);

describe('parsePointer', () => {
  it.each([
    ['', []],
    ['/', ['']],
    ['/a/0/*', ['a', '0', '*']],
    ['/~01/~1', ['~1', '/']],
  ])('reads %j', (pointer, tokens) => {
    expect(parsePointer(pointer)).toEqual(tokens);
  });

  it.each(['a', '/~', '/~2', '#/a', '/a'.repeat(65), `/${'a'.repeat(1_024)}`])('refuses %s', (pointer) => {
    expect(parsePointer(pointer)).toBeUndefined();
  });
});

describe('placesOf', () => {
  const root: Json = JSON.parse('{"a":[{"b":1},{"c":2}],"*":3,"__proto__":{"x":4},"":5,"0":6}');

  it.each<[string, (string | number)[][]]>([
    ['', [[]]],
    ['/a/1/c', [['a', 1, 'c']]],
    ['/a/*/b', [['a', 0, 'b']]],
    [
      '/a/*',
      [
        ['a', 0],
        ['a', 1],
      ],
    ],
    ['/*/x', [['__proto__', 'x']]],
    ['/__proto__/x', [['__proto__', 'x']]],
    ['/', [['']]],
    ['/0', [['0']]],
    ['/a/-', []],
    ['/a/01', []],
    ['/a/2', []],
    ['/a/length', []],
    ['/constructor', []],
    ['/a/0/b/toString', []],
  ])('%j', (pointer, paths) => {
    expect(pathsOf(root, pointer)).toEqual(paths);
  });

  it('does not follow a prototype', () => {
    expect(pathsOf({}, '/__proto__/constructor')).toEqual([]);
  });
});
