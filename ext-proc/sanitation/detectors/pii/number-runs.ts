// The digits of a text, read once for all that looks for numbers: runs of digits and the sign between a run and the
// next. Numbers are then found by the lengths of their groups, which no text can make slow.

export type NumberRuns = {
  readonly text: string;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** The one character between a run and the next; empty where there is another number of them. */
  readonly signs: readonly string[];
};

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

export const isLetter = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 122;

const isWord = (code: number): boolean => isDigit(code) || isLetter(code) || code === 95;

export const readRuns = (text: string): NumberRuns => {
  const starts: number[] = [];
  const ends: number[] = [];
  const signs: string[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (!isDigit(text.charCodeAt(at))) continue;
    const last = ends.at(-1);
    if (last !== undefined) signs.push(at - last === 1 ? (text[last] ?? '') : '');
    starts.push(at);
    while (isDigit(text.charCodeAt(at + 1))) at += 1;
    ends.push(at + 1);
  }
  return { text, starts, ends, signs };
};

/** Signs that join a number to what stands before or behind it: a version, a uuid, an amount. */
const JOINS = new Set(['-', '.', ',', '/', ':']);

/** True if a number can start at a place: it is no part of a word or of a longer number. */
export const startsAt = (text: string, at: number): boolean => {
  if (isWord(text.charCodeAt(at - 1))) return false;
  const sign = text[at - 1];
  return sign === undefined || sign === ':' || !JOINS.has(sign) || !isWord(text.charCodeAt(at - 2));
};

/** True if a number can end before a place. */
export const endsAt = (text: string, at: number): boolean => {
  if (isWord(text.charCodeAt(at))) return false;
  const sign = text[at];
  return sign === undefined || !JOINS.has(sign) || !isDigit(text.charCodeAt(at + 1));
};

export type NumberShape = {
  readonly groups: readonly number[];
  /** Signs that may stand between groups, the same one between all; empty: any of a space, `-` and `.`. */
  readonly signs?: string;
  /** A sign for each place between groups, where they differ. */
  readonly between?: string;
  /** What has to be said shortly before it, in lower case: its own check is weak. */
  readonly said?: RegExp;
  readonly isValid: (digits: string) => boolean;
};

const ANY_SIGN = ' -.';
const SAID_WITHIN = 40;

/** True if the sign behind a group of a number that starts with `first` is one its shape has there. */
const isJoined = (runs: NumberRuns, first: number, index: number, shape: NumberShape): boolean => {
  const sign = runs.signs[first + index] ?? '';
  if (sign === '') return false;
  const { between, signs = ANY_SIGN } = shape;
  return between === undefined ? sign === runs.signs[first] && signs.includes(sign) : sign === between[index];
};

const fits = (runs: NumberRuns, first: number, shape: NumberShape): boolean =>
  shape.groups.every((length, index) => {
    const at = first + index;
    return (
      (runs.ends[at] ?? 0) - (runs.starts[at] ?? 0) === length &&
      (index === shape.groups.length - 1 || isJoined(runs, first, index, shape))
    );
  });

const digitsOf = (runs: NumberRuns, first: number, count: number): string => {
  let digits = '';
  for (let at = first; at < first + count; at += 1) digits += runs.text.slice(runs.starts[at], runs.ends[at]);
  return digits;
};

const isSaid = (text: string, start: number, said: RegExp | undefined): boolean =>
  said === undefined || said.test(text.slice(Math.max(0, start - SAID_WITHIN), start).toLowerCase());

/** Shapes by the length of their first group. */
export type ShapeTable = ReadonlyMap<number, readonly NumberShape[]>;

export const shapeTable = (shapes: readonly NumberShape[]): ShapeTable =>
  new Map(
    [...new Set(shapes.map(({ groups }) => groups[0] ?? 0))].map((length) => [
      length,
      shapes.filter(({ groups }) => groups[0] === length),
    ]),
  );

/**
 * The end of a number of one of the shapes that starts with a run; -1 where there is none.
 * @param run index of the run.
 */
export const endOfShape = (runs: NumberRuns, run: number, table: ShapeTable): number => {
  const start = runs.starts[run] ?? 0;
  const shapes = table.get((runs.ends[run] ?? 0) - start);
  if (shapes === undefined || !startsAt(runs.text, start)) return -1;
  for (const shape of shapes) {
    const end = runs.ends[run + shape.groups.length - 1];
    if (end === undefined || !fits(runs, run, shape) || !endsAt(runs.text, end)) continue;
    if (shape.isValid(digitsOf(runs, run, shape.groups.length)) && isSaid(runs.text, start, shape.said))
      return end;
  }
  return -1;
};
