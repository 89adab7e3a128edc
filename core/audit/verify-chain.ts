// Walks the lines of one chain and names the first fault. It believes nothing a line says before its MAC is right, and
// nothing of the end before something apart from the chain has said how far it went.

import type { AuditKeys } from '#core/audit/audit-key.ts';
import { type AuditRecord, type ChainEnd, chainStart, readRecord } from '#core/audit/record.ts';
import type { ChainVerdict, Found } from '#core/audit/verdict.ts';

/** Something that knows the chain held this record: its head, a checkpoint, the chain that came after it. */
export type Witness = ChainEnd & { readonly by: string };

export type ChainExpectation = {
  readonly chain: string;
  /** Where the kept part begins, as a signed checkpoint says; the very start otherwise. */
  readonly start?: ChainEnd;
  readonly witnesses: readonly Witness[];
};

export type ChainVerifier = {
  /** A whole line without its newline. Returns the record if it is authentic. */
  take(line: string): AuditRecord | undefined;
  /** The last line where it has no newline: torn by a kill, or only its newline lost. */
  takeTorn(line: string): AuditRecord | undefined;
  finish(): ChainVerdict;
};

type State = {
  end: ChainEnd;
  first: number;
  records: number;
  integrity: Found | undefined;
  /** The first hole, and the record behind it: if one of the missing turns up later, the lines were only reordered. */
  hole: (Found & { readonly before: number }) | undefined;
  closed: boolean;
  torn: boolean;
};

const isInHole = (hole: State['hole'], sequence: number): boolean =>
  hole !== undefined && sequence >= hole.sequence && sequence < hole.before;

/** Where `record` stands against what came before it; undefined if it is the next one. */
const judgePlace = (state: State, expected: ChainExpectation, record: AuditRecord): Found | undefined => {
  const { sequence } = record;
  if (record.chain !== expected.chain) return { fault: 'foreign', sequence };
  if (isInHole(state.hole, sequence)) return { fault: 'reordered', sequence };
  if (sequence <= state.end.sequence) return { fault: 'duplicated', sequence };
  if (sequence > state.end.sequence + 1) return undefined;
  return record.previous === state.end.mac ? undefined : { fault: 'forked', sequence };
};

const holeBefore = (state: State, expected: ChainExpectation, record: AuditRecord): State['hole'] => {
  const missing = state.end.sequence + 1;
  if (record.sequence === missing) return undefined;
  const isBeginning = state.records === 0 && expected.start === undefined;
  return { fault: isBeginning ? 'beginning_missing' : 'gap', sequence: missing, before: record.sequence };
};

const judgeWitness = (expected: ChainExpectation, record: ChainEnd): Found | undefined => {
  const { sequence, mac } = record;
  const other = expected.witnesses.find((witness) => witness.sequence === sequence && witness.mac !== mac);
  return other === undefined ? undefined : { fault: 'forked', sequence, by: other.by };
};

/** The nearest record that is known to have been there and is not. */
const findMissingTail = (state: State, expected: ChainExpectation): Found | undefined => {
  const [witness] = expected.witnesses
    .filter(({ sequence }) => sequence > state.end.sequence)
    .sort((a, b) => b.sequence - a.sequence);
  return witness === undefined
    ? undefined
    : { fault: 'tail_missing', sequence: state.end.sequence + 1, by: witness.by };
};

const withoutRange = (hole: State['hole']): Found | undefined =>
  hole === undefined ? undefined : { fault: hole.fault, sequence: hole.sequence };

const accept = (state: State, expected: ChainExpectation, record: AuditRecord): void => {
  const { chain, sequence, mac } = record;
  const misplaced = judgePlace(state, expected, record);
  if (misplaced !== undefined) {
    // What was taken for missing is there after all: one fault, by its right name.
    if (misplaced.fault === 'reordered') state.hole = undefined;
    state.integrity = misplaced;
    return;
  }
  state.integrity = judgeWitness(expected, record);
  state.hole ??= holeBefore(state, expected, record);
  if (state.records === 0) state.first = sequence;
  state.records += 1;
  state.end = { chain, sequence, mac };
  state.closed = record.kind === 'close';
};

/**
 * A verifier of one chain.
 * @param keys all that may have written it.
 */
export const createChainVerifier = (keys: AuditKeys, expected: ChainExpectation): ChainVerifier => {
  const end = expected.start ?? chainStart(expected.chain);
  const state: State = {
    end,
    first: 0,
    records: 0,
    integrity: judgeWitness(expected, end),
    hole: undefined,
    closed: false,
    torn: false,
  };
  const take = (line: string): AuditRecord | undefined => {
    if (state.integrity !== undefined) return undefined;
    const read = readRecord(keys, line);
    if (read.ok) accept(state, expected, read.value);
    else state.integrity = { fault: read.error, sequence: state.end.sequence + 1 };
    return read.ok ? read.value : undefined;
  };
  return {
    take,
    takeTorn: (line) => {
      if (readRecord(keys, line).ok) return take(line);
      state.torn = true;
      return undefined;
    },
    finish: () => ({
      chain: expected.chain,
      records: state.records,
      first: state.first,
      last: state.records === 0 ? 0 : state.end.sequence,
      integrity: state.integrity,
      // Behind a broken line nothing is read, so nothing can be said to be missing there.
      completeness:
        withoutRange(state.hole) ??
        (state.integrity === undefined ? findMissingTail(state, expected) : undefined),
      state: state.closed ? 'closed' : 'open',
      torn: state.torn,
    }),
  };
};
