// Values that pointers have taken out of structured content, looked for in texts that repeat them. One pass over a text
// however many values there are: a result of thousands of rows can have as many taken out.

/** A value as a text that repeats it would write it. */
export type TakenValue = { readonly value: string; readonly replacement: string; readonly name: string };

/** Hears how often a redaction, by its name, has replaced something. */
export type Tally = (name: string, count: number) => void;

/** A shorter value would be found within other words, so it counts as one of its own only. */
const WITHIN_WORDS = 4;

/** Characters compared in one message, half a second of work: values made to share their beginnings can cost that. */
const MAX_COMPARED = 128 * 1024 * 1024;

const WORD = /[\p{L}\p{N}_]/u;

const isWord = (character: string | undefined): boolean => character !== undefined && WORD.test(character);

/** Values that begin alike, by their length, the longest first. */
type Bucket = { readonly lengths: readonly number[]; readonly values: ReadonlyMap<string, TakenValue> };

const bucketOf = (alike: readonly TakenValue[]): Bucket => ({
  lengths: [...new Set(alike.map(({ value }) => value.length))].sort((a, b) => b - a),
  values: new Map(alike.map((taken) => [taken.value, taken])),
});

const bucketsOf = (taken: readonly TakenValue[]): ReadonlyMap<string, Bucket> => {
  const groups = Map.groupBy(taken, ({ value }) => value.slice(0, WITHIN_WORDS));
  return new Map([...groups].map(([start, alike]) => [start, bucketOf(alike)]));
};

/** @returns the text without what was taken; where it costs too much to search, nothing of what is left of it goes on. */
export const createTakenSearch = (taken: readonly TakenValue[], tally: Tally): ((text: string) => string) => {
  const filled = taken.filter(({ value }) => value !== '');
  const long = bucketsOf(filled.filter(({ value }) => value.length >= WITHIN_WORDS));
  const short = bucketOf(filled.filter(({ value }) => value.length < WITHIN_WORDS));
  let left = MAX_COMPARED;

  const longAt = (text: string, at: number): TakenValue | undefined => {
    const bucket = long.get(text.slice(at, at + WITHIN_WORDS));
    for (const length of bucket?.lengths ?? []) {
      left -= length;
      const found = bucket?.values.get(text.slice(at, at + length));
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const shortAt = (text: string, at: number): TakenValue | undefined => {
    if (short.lengths.length === 0 || isWord(text[at - 1])) return undefined;
    const length = short.lengths.find(
      (some) => short.values.has(text.slice(at, at + some)) && !isWord(text[at + some]),
    );
    return length === undefined ? undefined : short.values.get(text.slice(at, at + length));
  };

  return (text) => {
    const [first] = filled;
    if (first === undefined) return text;
    const parts: string[] = [];
    let from = 0;
    const replace = (at: number, end: number, { name, replacement }: TakenValue): void => {
      parts.push(text.slice(from, at), replacement);
      from = end;
      tally(name, 1);
    };
    for (let at = 0; at < text.length && left > 0; at += 1) {
      const found = longAt(text, at) ?? shortAt(text, at);
      if (found === undefined) continue;
      replace(at, at + found.value.length, found);
      at = from - 1;
    }
    if (left <= 0 && from < text.length) replace(from, text.length, first);
    return parts.join('') + text.slice(from);
  };
};
