// The two secrets of the audit as files: the master secret, from which all keys of the chains come, and the key that
// signs checkpoints. All processes of one deployment share both.

import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type AuditKey, type AuditKeys, deriveAuditKey, MASTER_KEY_BYTES } from '#core/audit/audit-key.ts';
import { type CheckpointSigner, checkpointSigner } from '#core/audit/checkpoint.ts';
import type { KeyFile } from '#runtime/key-file.ts';

const parseMaster = (line: string): AuditKey | undefined => {
  const bytes = Buffer.from(line, 'base64url');
  const isKey = bytes.length === MASTER_KEY_BYTES && bytes.toString('base64url') === line;
  return isKey ? deriveAuditKey(bytes) : undefined;
};

const parseSigner = (line: string): CheckpointSigner | undefined => {
  try {
    const key = createPrivateKey({ key: Buffer.from(line, 'base64url'), format: 'der', type: 'pkcs8' });
    return key.asymmetricKeyType === 'ed25519' ? checkpointSigner(key) : undefined;
  } catch {
    return undefined;
  }
};

/** 32 random bytes a line, in base64url. */
export const auditKeyFile = (path: string): KeyFile<AuditKey> => ({
  path,
  variable: 'AUDIT_KEY_FILE',
  generate: () => randomBytes(MASTER_KEY_BYTES).toString('base64url'),
  parse: parseMaster,
});

/** An Ed25519 key a line: PKCS#8 in base64url. */
export const signingKeyFile = (path: string): KeyFile<CheckpointSigner> => ({
  path,
  variable: 'AUDIT_SIGNING_KEY_FILE',
  generate: () =>
    generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url'),
  parse: parseSigner,
});

export const auditKeysOf = (all: readonly [AuditKey, ...AuditKey[]]): AuditKeys => ({
  current: all.at(-1) ?? all[0],
  all,
});

export const signerOf = (all: readonly [CheckpointSigner, ...CheckpointSigner[]]): CheckpointSigner =>
  all.at(-1) ?? all[0];
