// Verifies the chains of one process as they lie on disk: the head and the checkpoints of each are witnesses, and so is
// the chain that came after it. Judging is core/audit's.

import { join } from 'node:path';
import type { AuditKeys } from '#core/audit/audit-key.ts';
import { type PublicCheckpointKey, readCheckpoint } from '#core/audit/checkpoint.ts';
import { readHead } from '#core/audit/head.ts';
import { type AuditRecord, type ChainEnd, readRecord } from '#core/audit/record.ts';
import type { ChainVerdict, Found } from '#core/audit/verdict.ts';
import { createChainVerifier, type Witness } from '#core/audit/verify-chain.ts';
import { isJsonObject } from '#core/json.ts';
import { chainsIn, checkpointsIn, headIn, segmentsIn } from '#runtime/audit/chain-directory.ts';
import { linesOfChain } from '#runtime/audit/chain-lines.ts';

export type VerifierKeys = { readonly keys: AuditKeys; readonly signers: readonly PublicCheckpointKey[] };

/** The end of the chain before, which the first record of a chain names. */
export const predecessorOf = (record: AuditRecord): ChainEnd | undefined => {
  const after = record.kind === 'open' ? record.body['after'] : undefined;
  if (!isJsonObject(after)) return undefined;
  const { chain, sequence, mac } = after;
  return { chain: String(chain), sequence: Number(sequence), mac: String(mac) };
};

const firstRecord = async (keys: AuditKeys, directory: string): Promise<AuditRecord | undefined> => {
  for await (const { line } of linesOfChain(directory)) {
    const read = readRecord(keys, line);
    return read.ok ? read.value : undefined;
  }
  return undefined;
};

/** What each chain of a process says of the one before it. */
const successorWitnesses = async (keys: AuditKeys, processDirectory: string): Promise<Witness[]> => {
  const witnesses: Witness[] = [];
  for (const chain of chainsIn(processDirectory)) {
    const first = await firstRecord(keys, join(processDirectory, chain));
    const before = first === undefined ? undefined : predecessorOf(first);
    if (before !== undefined) witnesses.push({ ...before, by: `chain ${chain}` });
  }
  return witnesses;
};

const ownWitnesses = (
  { keys, signers }: VerifierKeys,
  directory: string,
): { readonly witnesses: readonly Witness[]; readonly fault: Found | undefined } => {
  const head = readHead(keys, headIn(directory) ?? '');
  const checkpoints = checkpointsIn(directory).map((jws) => readCheckpoint(signers, jws));
  const known = checkpoints.filter((checkpoint) => checkpoint !== undefined);
  // A process killed before its first record left a directory and nothing that could have been answered.
  const isEmpty = segmentsIn(directory).length === 0;
  const headFault: Found | undefined =
    head === undefined && !isEmpty ? { fault: 'head_invalid', sequence: 0 } : undefined;
  return {
    witnesses: [
      ...known.map((checkpoint) => ({ ...checkpoint, by: 'its checkpoint' })),
      ...(head === undefined ? [] : [{ ...head, by: 'its head' }]),
    ],
    fault: known.length < checkpoints.length ? { fault: 'checkpoint_invalid', sequence: 0 } : headFault,
  };
};

export type Outside = {
  /** Signed ends at which what is kept begins; what was before them lies elsewhere. */
  readonly starts: readonly ChainEnd[];
  /** What was anchored outside. */
  readonly witnesses: readonly Witness[];
};

const nothingOf = (witness: Witness): ChainVerdict => ({
  chain: witness.chain,
  records: 0,
  first: 0,
  last: 0,
  integrity: undefined,
  completeness: { fault: 'chain_missing', sequence: 1, by: witness.by },
  state: 'open',
  torn: false,
});

/** Chains somebody knows of and nobody has; one verdict each. */
export const missingChains = (
  present: readonly string[],
  witnesses: readonly Witness[],
  starts: readonly ChainEnd[],
): ChainVerdict[] => {
  const isCovered = ({ chain, sequence }: ChainEnd): boolean =>
    starts.some((start) => start.chain === chain && start.sequence >= sequence);
  const missing = witnesses.filter((witness) => !present.includes(witness.chain) && !isCovered(witness));
  return [...new Map(missing.map((witness) => [witness.chain, nothingOf(witness)])).values()];
};

const verifyDirectory = async (
  verifierKeys: VerifierKeys,
  directory: string,
  expected: {
    readonly chain: string;
    readonly witnesses: readonly Witness[];
    readonly start: ChainEnd | undefined;
  },
): Promise<ChainVerdict> => {
  const own = ownWitnesses(verifierKeys, directory);
  const { chain, start } = expected;
  const witnesses = [...expected.witnesses, ...own.witnesses].filter((witness) => witness.chain === chain);
  const isOther = own.witnesses.some((witness) => witness.chain !== chain);
  const verifier = createChainVerifier(verifierKeys.keys, { chain, witnesses, ...(start && { start }) });
  for await (const { line, whole } of linesOfChain(directory)) {
    if (whole) verifier.take(line);
    else verifier.takeTorn(line);
  }
  const verdict = verifier.finish();
  const fault = isOther ? ({ fault: 'foreign', sequence: 0 } as const) : own.fault;
  return { ...verdict, integrity: verdict.integrity ?? fault };
};

/** Verdicts on all chains of one process, oldest first; last, the chains that should be there. */
export const verifyProcess = async (
  verifierKeys: VerifierKeys,
  processDirectory: string,
  outside: Outside,
): Promise<{ readonly verdicts: ChainVerdict[]; readonly witnesses: readonly Witness[] }> => {
  const chains = chainsIn(processDirectory);
  const witnesses = await successorWitnesses(verifierKeys.keys, processDirectory);
  const verdicts: ChainVerdict[] = [];
  for (const chain of chains) {
    const start = outside.starts.find((known) => known.chain === chain);
    const expected = { chain, witnesses: [...witnesses, ...outside.witnesses], start };
    verdicts.push(await verifyDirectory(verifierKeys, join(processDirectory, chain), expected));
  }
  return { verdicts: [...verdicts, ...missingChains(chains, witnesses, outside.starts)], witnesses };
};
