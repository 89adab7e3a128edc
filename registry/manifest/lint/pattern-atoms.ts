// A regular expression cut into atoms with their repetitions. Reads only patterns the engine has accepted with the u
// flag, whose grammar leaves no room for doubt (ECMA-262 §22.2.1).

/** A set of characters, one bit for each sample. */
export type Characters = bigint;

/** The characters that one character, escape or class of a pattern stands for. */
export type ReadCharacters = (text: string) => Characters;

type Repeated = { readonly min: number; readonly max: number };

export type Atom = Repeated &
  (
    | { readonly kind: 'characters'; readonly set: Characters }
    | { readonly kind: 'group' | 'assertion'; readonly branches: Branches }
    | { readonly kind: 'backreference' }
  );

export type Branches = readonly (readonly Atom[])[];

type Reader = { readonly pattern: string; readonly read: ReadCharacters; at: number };
type Bare = Atom extends infer A ? (A extends Repeated ? Omit<A, 'min' | 'max'> : never) : never;

const CLASS = /\[(?:\\.|[^\]\\])*\]/uy;
const ESCAPE =
  /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[0-9A-Fa-f]{4}(?:\\u[0-9A-Fa-f]{4})?|x[0-9A-Fa-f]{2}|c[A-Za-z]|.)/uy;
const BACKREFERENCE = /\\(?:[1-9]\d*|k<[^>]*>)/uy;
const EDGE = /[\^$]|\\[bB]/uy;
const OPENING = /\((?:\?(?:[:=!]|<[=!]|<[^>]*>|[a-z-]*:))?/uy;
const QUANTIFIER = /(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/uy;
const ANY = /[\s\S]/uy;

const take = (reader: Reader, form: RegExp): RegExpExecArray | undefined => {
  form.lastIndex = reader.at;
  const match = form.exec(reader.pattern);
  if (match === null) return undefined;
  reader.at += match[0].length;
  return match;
};

const SIGNS: Readonly<Record<string, Repeated>> = {
  '*': { min: 0, max: Number.POSITIVE_INFINITY },
  '+': { min: 1, max: Number.POSITIVE_INFINITY },
  '?': { min: 0, max: 1 },
};

const takeRepetition = (reader: Reader): Repeated => {
  const match = take(reader, QUANTIFIER);
  if (match === undefined) return { min: 1, max: 1 };
  const [, sign, least, comma, most] = match;
  if (sign !== undefined) return SIGNS[sign] ?? { min: 1, max: 1 };
  const min = Number(least);
  if (comma === undefined) return { min, max: min };
  return { min, max: most === '' || most === undefined ? Number.POSITIVE_INFINITY : Number(most) };
};

const takeGroup = (reader: Reader, opening: string): Bare => {
  const branches = takeBranches(reader);
  // The closing parenthesis: the engine has accepted the pattern, so it is there.
  reader.at += 1;
  const isAssertion = /^\(\?<?[=!]/.test(opening);
  return { kind: isAssertion ? 'assertion' : 'group', branches };
};

const takeAtom = (reader: Reader): Bare => {
  const opening = take(reader, OPENING);
  if (opening !== undefined) return takeGroup(reader, opening[0]);
  if (take(reader, EDGE) !== undefined) return { kind: 'assertion', branches: [] };
  if (take(reader, BACKREFERENCE) !== undefined) return { kind: 'backreference' };
  const characters = take(reader, CLASS) ?? take(reader, ESCAPE) ?? take(reader, ANY);
  return { kind: 'characters', set: reader.read(characters?.[0] ?? '') };
};

const takeBranches = (reader: Reader): Branches => {
  const branches: Atom[][] = [[]];
  while (reader.at < reader.pattern.length && reader.pattern[reader.at] !== ')') {
    if (reader.pattern[reader.at] === '|') {
      reader.at += 1;
      branches.push([]);
      continue;
    }
    const bare = takeAtom(reader);
    branches.at(-1)?.push({ ...bare, ...takeRepetition(reader) } as Atom);
  }
  return branches;
};

/** The branches of a pattern that `new RegExp(pattern, 'u')` accepts. */
export const parsePattern = (pattern: string, read: ReadCharacters): Branches =>
  takeBranches({ pattern, read, at: 0 });
