// Bytes under a key, in base64url (AES-256-GCM): nobody without the key can read them, or change one bit unseen.

import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
export const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals bytes: nonce, ciphertext, tag, in base64url.
 * @param nonce 12 bytes, random: a counter would repeat where a write is tried again.
 */
export const sealBytes = (
  key: KeyObject,
  nonce: Uint8Array,
  content: { readonly bytes: Uint8Array; readonly bound: Uint8Array },
): string => {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(content.bound);
  return Buffer.concat([nonce, cipher.update(content.bytes), cipher.final(), cipher.getAuthTag()]).toString(
    'base64url',
  );
};

/** The bytes, or undefined if the key is another, or the text or what it is bound to was changed. */
export const openBytes = (key: KeyObject, sealed: string, bound: Uint8Array): Buffer | undefined => {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(bound);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
};
