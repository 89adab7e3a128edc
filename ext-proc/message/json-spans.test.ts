import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  applyEdits,
  endOfValue,
  type Span,
  startOfRoot,
  walkElements,
  walkMembers,
} from '#ext-proc/message/json-spans.ts';

/** The value at `start` and its end, found by walking alone. */
const walk = (text: string, start: number): { value: unknown; end: number } => {
  if (text[start] === '[') {
    const value: unknown[] = [];
    const end = walkElements(text, start, (at) => {
      const element = walk(text, at);
      value.push(element.value);
      return element.end;
    });
    return { value, end };
  }
  if (text[start] !== '{') {
    const end = endOfValue(text, start);
    return { value: JSON.parse(text.slice(start, end)), end };
  }
  const members: [string, unknown][] = [];
  const end = walkMembers(text, start, (key, at) => {
    const member = walk(text, at);
    members.push([key, member.value]);
    return member.end;
  });
  return { value: Object.fromEntries(members), end };
};

const spansOf = (text: string): ReadonlyMap<string, Span> => {
  const spans = new Map<string, Span>();
  walkMembers(text, startOfRoot(text), (key, start) => {
    const end = endOfValue(text, start);
    spans.set(key, { start, end });
    return end;
  });
  return spans;
};

describe('walking', () => {
  it('finds every member and element of any JSON text, and where they end', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(3), (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        const text = ` ${json}\n`;
        expect(walk(text, startOfRoot(text))).toEqual({ value: JSON.parse(text), end: 1 + json.length });
        expect(endOfValue(text, 1)).toBe(1 + json.length);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is not misled by brackets, quotes and escapes in strings', () => {
    const value = { 'a"]}': ['}', '\\', '\\"', '[{'], b: '\\\\' };
    const text = JSON.stringify(value);
    expect(walk(text, 0).value).toEqual(value);
    expect([...spansOf(text).values()].map(({ start, end }) => JSON.parse(text.slice(start, end)))).toEqual(
      Object.values(value),
    );
  });
});

describe('applyEdits', () => {
  it('replaces spans and leaves all else, in whatever order edits come', () => {
    const text = '{"a":1,"b":[2]}';
    const members = spansOf(text);
    const edits = [
      { span: members.get('b') as Span, text: '[]' },
      { span: members.get('a') as Span, text: '10' },
      { span: { start: 1, end: 1 }, text: '"c":0,' },
    ];
    expect(applyEdits(text, edits)).toBe('{"c":0,"a":10,"b":[]}');
  });
});
