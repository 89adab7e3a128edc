// The audit's secrets for tests that are not about them.

import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { deriveAuditKey } from '#core/audit/audit-key.ts';
import { checkpointSigner } from '#core/audit/checkpoint.ts';
import type { AuditSecrets } from '#registry/store/audit-append.ts';
import { auditKeyFile, auditKeysOf, signerOf, signingKeyFile } from '#runtime/audit/audit-keys.ts';
import { ensureKeyFile } from '#runtime/key-file.ts';

const key = deriveAuditKey(Buffer.alloc(32, 7));

export const TEST_AUDIT: AuditSecrets = {
  keys: { current: key, all: [key] },
  signer: checkpointSigner(generateKeyPairSync('ed25519').privateKey),
};

/** The secrets a process with this state directory has, made if it was never started. */
export const auditSecretsIn = (stateDirectory: string): AuditSecrets => {
  const place = (name: string): string => join(stateDirectory, 'audit-keys', name);
  return {
    keys: auditKeysOf(ensureKeyFile(auditKeyFile(place('audit.key')))),
    signer: signerOf(ensureKeyFile(signingKeyFile(place('signing.key')))),
  };
};
