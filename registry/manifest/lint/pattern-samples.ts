// Which characters the parts of a pattern stand for, told by samples: two parts share a character where they share a
// sample. The characters a pattern names are samples of it, so no letter is beyond the question.

import type { Characters, ReadCharacters } from '#registry/manifest/lint/pattern-atoms.ts';

const EVERYWHERE: readonly string[] = [
  ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
  ...['é', 'É', 'ß', 'Ж', 'ж', '中', '١', '\u00a0', '😀'],
];

/** Each costs a trial for every part of the pattern. */
const MAX_NAMED = 64;

/** An escape that names a character beyond ASCII, or the character itself. */
const NAMED = /\\u\{([0-9A-Fa-f]+)\}|((?:\\u[0-9A-Fa-f]{4})+)|\\x([89A-Fa-f][0-9A-Fa-f])|([^\p{ASCII}])/gu;

const decode = (match: RegExpMatchArray): string[] => {
  const [, braced, units, byte, plain] = match;
  if (plain !== undefined) return [plain];
  if (units === undefined) return [String.fromCodePoint(Number.parseInt(braced ?? byte ?? '0', 16))];
  const codes = units.split('\\u').slice(1);
  return [...String.fromCharCode(...codes.map((unit) => Number.parseInt(unit, 16)))];
};

/** Two ranges that overlap hold an end of one another: the ends are enough. */
const namedIn = (pattern: string): readonly string[] => {
  const named = [...pattern.matchAll(NAMED)].flatMap(decode);
  return [...new Set(named)].filter((character) => !EVERYWHERE.includes(character));
};

const fittingOf = (text: string, samples: readonly string[]): Characters => {
  // A plain character is itself; a thousand of them are not worth a thousand expressions.
  const own = text === '.' ? -1 : samples.indexOf(text);
  if (own >= 0) return 1n << BigInt(own);
  const form = new RegExp(`^(?:${text})$`, 'u');
  return samples.reduce<Characters>(
    (all, sample, index) => (form.test(sample) ? all | (1n << BigInt(index)) : all),
    0n,
  );
};

/**
 * Reads the parts of one pattern. A part that fits none of the samples, a script nobody thought of, is taken to be able
 * to hold any character beyond ASCII.
 * @returns undefined where the pattern names more characters than can be tried.
 */
export const createCharacterReader = (pattern: string): ReadCharacters | undefined => {
  const named = namedIn(pattern);
  if (named.length > MAX_NAMED) return undefined;
  const samples = [...EVERYWHERE, ...named];
  const anyForeign = samples.reduce<Characters>(
    (all, sample, index) => (/^\p{ASCII}$/u.test(sample) ? all : all | (1n << BigInt(index))),
    0n,
  );
  const known = new Map<string, Characters>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const fitting = fittingOf(text, samples);
    const set = fitting === 0n ? anyForeign : fitting;
    known.set(text, set);
    return set;
  };
};
