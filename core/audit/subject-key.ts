// The key of one subject as it is kept: wrapped under a key of the master secret and bound to the subject's name, so
// that one subject's key cannot be put in another's place. Deleting the wrapped key is the erasure.

import { createSecretKey, type KeyObject } from 'node:crypto';
import { type AuditKey, type AuditKeys, findAuditKey } from '#core/audit/audit-key.ts';
import { openBytes, sealBytes } from '#core/sealed-bytes.ts';

export const SUBJECT_KEY_BYTES = 32;

export type WrappedKey = {
  /** Id of the audit key it is wrapped under. */
  readonly key: string;
  readonly wrapped: string;
};

const boundTo = (pseudonym: string): Buffer => Buffer.from(JSON.stringify(['mcpgw-audit-wrap-1', pseudonym]));

/**
 * @param random 44 random bytes: 12 for the nonce, 32 that become the subject's key.
 */
export const wrapSubjectKey = (
  key: AuditKey,
  pseudonym: string,
  random: { readonly nonce: Uint8Array; readonly secret: Uint8Array },
): WrappedKey => ({
  key: key.id,
  wrapped: sealBytes(key.wrap, random.nonce, { bytes: random.secret, bound: boundTo(pseudonym) }),
});

/** Undefined if the master secret is unknown or the wrapped key is another subject's. */
export const unwrapSubjectKey = (
  keys: AuditKeys,
  pseudonym: string,
  { key, wrapped }: WrappedKey,
): KeyObject | undefined => {
  const known = findAuditKey(keys, key);
  const secret = known === undefined ? undefined : openBytes(known.wrap, wrapped, boundTo(pseudonym));
  return secret?.length === SUBJECT_KEY_BYTES ? createSecretKey(secret) : undefined;
};
