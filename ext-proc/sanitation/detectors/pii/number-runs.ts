// The digits of a text, read once for all that looks for numbers: runs of digits and the sign between a run and the
// next. Numbers are then found by the lengths of their groups, which no text can make slow.

export type NumberRuns = {
  readonly text: string;
  readonly count: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** How many digits all runs before have. */
  readonly before: Int32Array;
  /** All digits, one behind the other; put together when they are first asked for, once for all numbers in groups. */
  readonly digits: () => string;
};

const isDigit = (code: number): boolean => code >= 48 && code <= 57;

export const isLetter = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 122;

const isWord = (code: number): boolean => isDigit(code) || isLetter(code) || code === 95;

export const readRuns = (text: string): NumberRuns => {
  const room = (text.length >> 1) + 1;
  const [starts, ends, before] = [new Int32Array(room), new Int32Array(room), new Int32Array(room)];
  let [count, seen] = [0, 0];
  let digits: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    if (!isDigit(text.charCodeAt(at))) continue;
    const start = at;
    while (isDigit(text.charCodeAt(at + 1))) at += 1;
    starts[count] = start;
    ends[count] = at + 1;
    before[count] = seen;
    seen += at + 1 - start;
    count += 1;
  }
  const join = (): string => {
    digits ??= text.replaceAll(/\D+/g, '');
    return digits;
  };
  return { text, count, starts, ends, before, digits: join };
};

/** `,` `-` `.` `/` `:` join a number to what stands before or behind it: a version, a uuid, an amount. */
const COLON = 0x3a;
const isJoin = (code: number): boolean => (code >= 0x2c && code <= 0x2f) || code === COLON;

/** True if a number can start at a place: it is no part of a word or of a longer number. */
export const startsAt = (text: string, at: number): boolean => {
  const before = text.charCodeAt(at - 1);
  if (isWord(before)) return false;
  return before === COLON || !isJoin(before) || !isWord(text.charCodeAt(at - 2));
};

/** True if a number can end before a place. */
export const endsAt = (text: string, at: number): boolean => {
  const behind = text.charCodeAt(at);
  return !isWord(behind) && (!isJoin(behind) || !isDigit(text.charCodeAt(at + 1)));
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

/** The one character between a run and the next; 0 where there is another number of them. */
const signBehind = ({ text, starts, ends }: NumberRuns, run: number): number => {
  const end = ends[run] ?? 0;
  return starts[run + 1] === end + 1 ? text.charCodeAt(end) : 0;
};

const holds = (signs: string, sign: number): boolean => {
  for (let at = 0; at < signs.length; at += 1) if (signs.charCodeAt(at) === sign) return true;
  return false;
};

/** True if behind each group but the last of a number that starts with `first` stands a sign its shape has there. */
const isJoined = (
  runs: NumberRuns,
  first: number,
  { groups, between, signs = ANY_SIGN }: NumberShape,
): boolean => {
  const sign = signBehind(runs, first);
  if (between === undefined && !holds(signs, sign)) return false;
  for (let index = 0; index < groups.length - 1; index += 1) {
    const expected = between === undefined ? sign : between.charCodeAt(index);
    if (signBehind(runs, first + index) !== expected) return false;
  }
  return true;
};

const fits = (runs: NumberRuns, first: number, shape: NumberShape): boolean => {
  const { groups } = shape;
  const last = groups.length - 1;
  if (first + last >= runs.count) return false;
  for (let index = 1; index <= last; index += 1)
    if ((runs.ends[first + index] ?? 0) - (runs.starts[first + index] ?? 0) !== groups[index]) return false;
  return last === 0 || isJoined(runs, first, shape);
};

const digitsOf = (
  { text, starts, ends, before, digits }: NumberRuns,
  first: number,
  count: number,
): string => {
  if (count === 1) return text.slice(starts[first], ends[first]);
  const last = first + count - 1;
  const [start = 0, end = 0] = [starts[last], ends[last]];
  return digits().slice(before[first], (before[last] ?? 0) + end - start);
};

const isSaid = (text: string, start: number, said: RegExp | undefined): boolean =>
  said === undefined || said.test(text.slice(Math.max(0, start - SAID_WITHIN), start).toLowerCase());

/**
 * The end of a number of a shape that starts with a run, where the run is as long as its first group; -1 where there is
 * none.
 */
export const endOfShape = (runs: NumberRuns, run: number, shape: NumberShape): number => {
  if (!fits(runs, run, shape)) return -1;
  const { text, starts, ends } = runs;
  const count = shape.groups.length;
  const end = ends[run + count - 1] ?? 0;
  if (!endsAt(text, end) || !shape.isValid(digitsOf(runs, run, count))) return -1;
  return isSaid(text, starts[run] ?? 0, shape.said) ? end : -1;
};
