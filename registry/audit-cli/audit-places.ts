// Where the audit's commands find chains and keys: the environment of the services, or what the command names.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditKeys } from '#core/audit/audit-key.ts';
import {
  type Checkpoint,
  type PublicCheckpointKey,
  publicCheckpointKey,
  readCheckpoint,
} from '#core/audit/checkpoint.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { pathOf, readBytes, stop } from '#registry/manifest-cli/command.ts';
import { auditPlaces, readAuditConfiguration } from '#runtime/audit/audit-configuration.ts';
import { auditKeyFile, auditKeysOf, signingKeyFile } from '#runtime/audit/audit-keys.ts';
import { decisionProcessName, isDecisionProcess } from '#runtime/decision-processes.ts';
import { readKeyFile } from '#runtime/key-file.ts';

/** Processes that keep their chain in files: the first one always, more where they have left any. */
const fileProcesses = (root: string): readonly string[] => {
  const found = existsSync(root) ? readdirSync(root).filter(isDecisionProcess) : [];
  return [...new Set([decisionProcessName(1), ...found.toSorted()])];
};

export const auditKeys = (): AuditKeys =>
  auditKeysOf(readKeyFile(auditKeyFile(readAuditConfiguration().keyFile)));

export const subjectsDirectory = (): string => auditPlaces(readAuditConfiguration()).subjects;

export type ChainPlace = { readonly process: string; readonly directory: string };

/** @param directory of `--directory`: what is called `audit` in the state directory. */
export const chainPlaces = (directory: string | undefined): ChainPlace[] => {
  const root = directory === undefined ? auditPlaces(readAuditConfiguration()).chains : pathOf(directory);
  return fileProcesses(root).map((process) => ({ process, directory: join(root, process) }));
};

const jwksOf = (text: string): JsonObject[] => {
  const value: unknown = JSON.parse(text);
  const keys = isJsonObject(value) && Array.isArray(value['keys']) ? value['keys'] : [value];
  return keys as JsonObject[];
};

/** Public halves of the keys that sign checkpoints: a JWK or JWKS file, or else the signing key itself. */
export const checkpointKeys = async (file: string | undefined): Promise<readonly PublicCheckpointKey[]> => {
  if (file === undefined) return readKeyFile(signingKeyFile(readAuditConfiguration().signingKeyFile));
  const text = (await readBytes(file)).toString('utf8');
  try {
    return jwksOf(text).map(publicCheckpointKey);
  } catch {
    return stop(`${file} holds no Ed25519 JWK or JWK set`);
  }
};

/** Checkpoints of a file, one compact JWS a line. @throws GatewayError if one of them was signed by nobody known */
export const readCheckpoints = async (
  keys: readonly PublicCheckpointKey[],
  file: string | undefined,
): Promise<Checkpoint[]> => {
  if (file === undefined) return [];
  const lines = (await readBytes(file)).toString('utf8').split('\n');
  return lines
    .filter((line) => line.trim() !== '')
    .map(
      (line, index) =>
        readCheckpoint(keys, line) ?? stop(`${file}: line ${index + 1} is no checkpoint of a known key`),
    );
};
