// Regular expressions of a schema that some text makes run for ever (ReDoS). A pattern is cut into atoms. A loop is at
// fault where its text can be shared out between its rounds in many ways, or two of its branches begin alike; a row of
// atoms, where the same text can be shared out between too many of them. An estimate on the side of caution: it refuses
// some harmless patterns, which can be written plainly.

import {
  type Atom,
  type Branches,
  type Characters,
  parsePattern,
} from '#registry/manifest/lint/pattern-atoms.ts';
import { createCharacterReader } from '#registry/manifest/lint/pattern-samples.ts';

/** Longer patterns are programs. */
export const MAX_PATTERN_LENGTH = 256;

/** More rounds than this are a loop. */
const LOOP_ROUNDS = 4;

/** Ways to share out a text between the atoms of a row; two endless ones, which take quadratic time, are let pass. */
const MAX_WAYS = 4_096;
/** What an endless atom counts as. */
const ENDLESS_WAYS = 64;

/** Whether the text may go on from here into the next round of a loop around, with `over` characters only. */
type Crosses = (over: Characters) => boolean;

const meet = (a: Characters, b: Characters): boolean => (a & b) !== 0n;
const union = (sets: readonly Characters[]): Characters => sets.reduce((all, set) => all | set, 0n);

const remembered = (compute: (atom: Atom) => Characters): ((atom: Atom) => Characters) => {
  const known = new WeakMap<Atom, Characters>();
  return (atom) => {
    const found = known.get(atom) ?? compute(atom);
    known.set(atom, found);
    return found;
  };
};

/** Characters an atom can begin with, among the samples. */
const firstOf = remembered((atom) => {
  if (atom.kind === 'characters') return atom.set;
  return atom.kind === 'group' ? firstOfBranches(atom.branches) : 0n;
});

/** Characters an atom can hold anywhere. */
const alphabetOf = remembered((atom) => {
  if (atom.kind === 'characters') return atom.set;
  return atom.kind === 'group' ? union(atom.branches.flat().map(alphabetOf)) : 0n;
});

const firstOfSequence = (atoms: readonly Atom[]): Characters => {
  const end = atoms.findIndex((atom) => !canBeEmpty(atom));
  return union(atoms.slice(0, end === -1 ? atoms.length : end + 1).map(firstOf));
};

const firstOfBranches = (branches: Branches): Characters => union(branches.map(firstOfSequence));

const canBeEmpty = (atom: Atom): boolean =>
  atom.min === 0 ||
  atom.kind === 'assertion' ||
  (atom.kind === 'group' && atom.branches.some((branch) => branch.every(canBeEmpty)));

const canPass = (atom: Atom, over: Characters): boolean => canBeEmpty(atom) || meet(firstOf(atom), over);

const isLoop = (atom: Atom): boolean => atom.max > LOOP_ROUNDS;
const isElastic = (atom: Atom): boolean => atom.max !== atom.min;

const haveSharedBeginning = (branches: Branches): boolean =>
  branches.some((branch, index) =>
    branches.slice(index + 1).some((other) => meet(firstOfSequence(branch), firstOfSequence(other))),
  );

/** A plain group is only a pair of parentheses: its atoms stand in the row of the group. */
const unwrap = (atoms: readonly Atom[]): readonly Atom[] =>
  atoms.flatMap((atom): readonly Atom[] => {
    const [only, ...others] = atom.kind === 'group' && atom.max === 1 ? atom.branches : [];
    if (only === undefined || others.length > 0) return [atom];
    return unwrap(only).map((inner) => (atom.min === 0 ? { ...inner, min: 0 } : inner));
  });

/** In how many ways an atom can take part in a text of `over`. */
const waysOf = (atom: Atom, over: Characters): number => {
  if (!meet(alphabetOf(atom), over)) return 1;
  if (isLoop(atom) && isElastic(atom)) return ENDLESS_WAYS;
  const inside =
    atom.kind === 'group'
      ? Math.max(1, ...atom.branches.map((branch) => waysOfRow(unwrap(branch), over)))
      : 1;
  return (atom.max - atom.min + 1) * inside ** Math.max(1, Math.min(atom.max, LOOP_ROUNDS));
};

/** The ways of the atoms at the beginning of a row that a text of `over` reaches. */
const waysOfRow = (row: readonly Atom[], over: Characters): number => {
  let ways = 1;
  for (const atom of row) {
    ways *= waysOf(atom, over);
    if (ways > MAX_WAYS || !canPass(atom, over)) break;
  }
  return ways;
};

const isCrowded = (branch: readonly Atom[]): boolean => {
  const row = unwrap(branch);
  return row.some(
    (atom, index) => isElastic(atom) && waysOfRow(row.slice(index), alphabetOf(atom)) > MAX_WAYS,
  );
};

const findInAtom = (atom: Atom, crosses: Crosses): string | undefined => {
  if (atom.kind === 'backreference') return 'refers back to what it matched';
  // What an elastic part takes at its end could as well be taken by the next round: each character doubles the ways.
  if (isElastic(atom) && crosses(alphabetOf(atom))) return 'has a repetition inside a repetition';
  if (atom.kind !== 'group' && atom.kind !== 'assertion') return undefined;
  if (!isLoop(atom)) return findInBranches(atom.branches, crosses);
  if (haveSharedBeginning(atom.branches)) return 'repeats a choice whose branches begin alike';
  const first = firstOfBranches(atom.branches);
  return findInBranches(atom.branches, (over) => meet(first, over) || crosses(over));
};

const findInBranch = (branch: readonly Atom[], crosses: Crosses): string | undefined => {
  if (isCrowded(branch)) return 'repeats the same characters several times in a row';
  for (const [index, atom] of branch.entries()) {
    const rest = branch.slice(index + 1);
    const found = findInAtom(atom, (over) => rest.every((next) => canPass(next, over)) && crosses(over));
    if (found !== undefined) return found;
  }
  return undefined;
};

const findInBranches = (branches: Branches, crosses: Crosses): string | undefined => {
  for (const branch of branches) {
    const found = findInBranch(branch, crosses);
    if (found !== undefined) return found;
  }
  return undefined;
};

const isPattern = (pattern: string): boolean => {
  try {
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
};

/** What is wrong with a pattern, in words that follow "the pattern"; undefined if it may be used. */
export const findPatternRisk = (pattern: string): string | undefined => {
  if (pattern.length > MAX_PATTERN_LENGTH) return `is longer than ${MAX_PATTERN_LENGTH} characters`;
  if (!isPattern(pattern)) return 'is no regular expression of ECMA-262 with the u flag';
  const read = createCharacterReader(pattern);
  if (read === undefined) return 'names too many different characters';
  return findInBranches(parsePattern(pattern, read), () => false);
};
