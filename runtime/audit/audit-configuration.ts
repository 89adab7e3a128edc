// What the audit reads from the environment, for every process that writes or verifies one.

import { join } from 'node:path';
import type { Durability } from '#runtime/audit/chain-writer.ts';
import { choice, directory, type Environment, integer, readConfig, stateDirectory } from '#runtime/config.ts';

const MIB = 1024 * 1024;

const VARIABLES = {
  stateDirectory,
  keyFile: directory('AUDIT_KEY_FILE', '/'),
  signingKeyFile: directory('AUDIT_SIGNING_KEY_FILE', '/'),
  durability: choice('process', 'disk')('AUDIT_DURABILITY', 'process'),
  segmentMib: integer(1, 4096)('AUDIT_SEGMENT_MIB', '64'),
  checkpointSeconds: integer(1, 86_400)('AUDIT_CHECKPOINT_SECONDS', '60'),
};

export type AuditConfiguration = {
  readonly stateDirectory: string;
  readonly keyFile: string;
  readonly signingKeyFile: string;
  readonly durability: Durability;
  readonly segmentBytes: number;
  readonly checkpointMs: number;
};

/** The keys do not lie where the records lie: who may ship and delete those need not see these. */
const defaultKey = (given: string, state: string, name: string): string =>
  given === '/' ? join(state, 'audit-keys', name) : given;

/** @throws GatewayError `config_invalid` naming every fault. */
export const readAuditConfiguration = (environment?: Environment): AuditConfiguration => {
  const read = readConfig(VARIABLES, environment);
  return {
    stateDirectory: read.stateDirectory,
    keyFile: defaultKey(read.keyFile, read.stateDirectory, 'audit.key'),
    signingKeyFile: defaultKey(read.signingKeyFile, read.stateDirectory, 'signing.key'),
    durability: read.durability as Durability,
    segmentBytes: read.segmentMib * MIB,
    checkpointMs: read.checkpointSeconds * 1_000,
  };
};

/** Where the records of all processes lie, and the keys of subjects. */
export const auditPlaces = ({ stateDirectory: state }: AuditConfiguration) => ({
  chains: join(state, 'audit'),
  subjects: join(state, 'audit-keys', 'subjects'),
});
