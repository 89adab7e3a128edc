// The audit chain of a process that has a directory for it: names the chain, binds the end of the one before, and puts
// files, keys and clock together.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { AuditKeys } from '#core/audit/audit-key.ts';
import { readHead } from '#core/audit/head.ts';
import type { ChainEnd } from '#core/audit/record.ts';
import { type AuditConfiguration, auditPlaces } from '#runtime/audit/audit-configuration.ts';
import { auditKeyFile, auditKeysOf, signerOf, signingKeyFile } from '#runtime/audit/audit-keys.ts';
import { createAuditMetrics } from '#runtime/audit/audit-metrics.ts';
import { chainName, chainsIn, headIn } from '#runtime/audit/chain-directory.ts';
import { createChainFiles } from '#runtime/audit/chain-files.ts';
import { type AuditChain, openAuditChain } from '#runtime/audit/chain-writer.ts';
import { createSubjectRing } from '#runtime/audit/subject-ring.ts';
import { ensureKeyFile } from '#runtime/key-file.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** A checkpoint at least this often while records come. */
const CHECKPOINT_RECORDS = 10_000;

const CHAIN_RANDOM_BYTES = 8;

/** End of the newest chain that has one. */
const lastEnd = (keys: AuditKeys, processDirectory: string): ChainEnd | undefined =>
  chainsIn(processDirectory)
    .toReversed()
    .map((chain) => readHead(keys, headIn(join(processDirectory, chain)) ?? ''))
    .find((end) => end !== undefined);

/**
 * Starts the chain of a process.
 * @param options.process names the directory, e.g. `ext-authz`.
 * @throws GatewayError if a key file is not usable or the first record cannot be written.
 */
export const startProcessChain = (options: {
  readonly process: string;
  readonly configuration: AuditConfiguration;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
}): Promise<AuditChain> => {
  const { configuration, nowMs } = options;
  const { durability, segmentBytes, checkpointMs } = configuration;
  const keys = auditKeysOf(ensureKeyFile(auditKeyFile(configuration.keyFile)));
  const signer = signerOf(ensureKeyFile(signingKeyFile(configuration.signingKeyFile)));
  const places = auditPlaces(configuration);
  const processDirectory = join(places.chains, options.process);
  const at = new Date(nowMs()).toISOString();
  const chain = chainName(at, randomBytes(CHAIN_RANDOM_BYTES).toString('hex'));
  const body = { process: options.process, durability, after: lastEnd(keys, processDirectory) ?? null };
  const parts = {
    chain,
    files: createChainFiles({ directory: join(processDirectory, chain), segmentBytes }),
    keys,
    signer,
    ring: createSubjectRing(keys, places.subjects),
    durability,
    checkpointEvery: { records: CHECKPOINT_RECORDS, milliseconds: checkpointMs },
    metrics: createAuditMetrics(options.metrics),
    nowMs,
  };
  return openAuditChain(parts, { at, kind: 'open', body });
};
