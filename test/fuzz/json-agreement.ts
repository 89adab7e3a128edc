// Whether a JSON text that our reader took leaves room for a second reading: told by other means than the reader's own,
// which scans characters. Here literals are counted, and numbers held against their source.

import { isDeepStrictEqual } from 'node:util';
import { demand } from '#test/fuzz/target.ts';

const STRING_LITERAL = /"(?:[^"\\]|\\.)*"/gs;

const membersOf = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((total: number, each) => total + membersOf(each), own);
};

/** JSON.parse keeps the last of two members with one name, so that fewer are left than were written. */
const hasRepeatedKey = (text: string, value: unknown): boolean =>
  (text.replace(STRING_LITERAL, '').match(/:/g)?.length ?? 0) !== membersOf(value);

const INTEGER = /^-?\d+$/;

type Source = { readonly source?: string };

const roundedNumbers = (text: string): readonly string[] => {
  const rounded: string[] = [];
  const look = (_key: string, value: unknown, context?: Source): unknown => {
    const source = context?.source ?? '';
    const isExact =
      typeof value !== 'number' ||
      (INTEGER.test(source) ? BigInt(source) === BigInt(value) : Number.isFinite(value));
    if (!isExact) rounded.push(source);
    return value;
  };
  JSON.parse(text, look as (key: string, value: unknown) => unknown);
  return rounded;
};

/** JSON.stringify writes half a surrogate pair as an escape, and nothing else of that range. */
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f][\da-f]{2}/;

/**
 * @param value what our reader made of the bytes.
 * @throws if JSON.parse makes something else of them, or a reader with other habits might
 */
export const demandOneReading = (bytes: Buffer, value: unknown): void => {
  const text = bytes.toString('utf8');
  demand(Buffer.from(text).equals(bytes), 'took bytes that are no UTF-8');
  const parsed: unknown = JSON.parse(text);
  demand(isDeepStrictEqual(parsed, value), 'JSON.parse reads something else');
  demand(!hasRepeatedKey(text, parsed), 'took a repeated key');
  demand(roundedNumbers(text).length === 0, 'took a number that is rounded');
  demand(!LONE_SURROGATE.test(JSON.stringify(parsed)), 'took half a surrogate pair');
};

/** True if a key `__proto__` stands anywhere in the value. */
export const hasPrototypeKey = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (Object.hasOwn(value, '__proto__') || Object.values(value).some(hasPrototypeKey));
