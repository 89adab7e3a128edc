// Verifies a file of `audit:export`: lines of any number of chains, those of one chain in their order. A file has no
// heads; what its tails are held against are checkpoints from outside and the chains that came after.

import type { AuditKeys } from '#core/audit/audit-key.ts';
import { readRecord } from '#core/audit/record.ts';
import type { ChainVerdict } from '#core/audit/verdict.ts';
import { type ChainVerifier, createChainVerifier, type Witness } from '#core/audit/verify-chain.ts';
import { isJsonObject } from '#core/json.ts';
import { linesOf } from '#runtime/audit/chain-lines.ts';
import { missingChains, type Outside, predecessorOf } from '#runtime/audit/verify-process.ts';

/** What a line says its chain is, to sort it: the verifier of that chain judges whether it may say so. */
const claimedChain = (line: string): string => {
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? String(value['chain']) : 'unreadable';
  } catch {
    return 'unreadable';
  }
};

const witnessesIn = async (keys: AuditKeys, path: string): Promise<Witness[]> => {
  const witnesses: Witness[] = [];
  for await (const { line } of linesOf(path)) {
    const read = line.includes('"kind":"open"') ? readRecord(keys, line) : undefined;
    const before = read?.ok === true ? predecessorOf(read.value) : undefined;
    if (read?.ok === true && before !== undefined)
      witnesses.push({ ...before, by: `chain ${read.value.chain}` });
  }
  return witnesses;
};

/** One verdict for each chain that has a line, in order of their first, and for each that should have one. */
export const verifyExport = async (
  keys: AuditKeys,
  path: string,
  outside: Outside,
): Promise<ChainVerdict[]> => {
  const inside = await witnessesIn(keys, path);
  const verifiers = new Map<string, ChainVerifier>();
  const verifierOf = (chain: string): ChainVerifier => {
    const start = outside.starts.find((known) => known.chain === chain);
    const witnesses = [...inside, ...outside.witnesses].filter((witness) => witness.chain === chain);
    const verifier =
      verifiers.get(chain) ?? createChainVerifier(keys, { chain, witnesses, ...(start && { start }) });
    verifiers.set(chain, verifier);
    return verifier;
  };
  for await (const { line } of linesOf(path)) verifierOf(claimedChain(line)).take(line);
  const verdicts = [...verifiers.values()].map((verifier) => verifier.finish());
  return [...verdicts, ...missingChains([...verifiers.keys()], inside, outside.starts)];
};
