// Bytes sealed under one of several keys, as text: the key's id in the clear, and what it sealed. It knows neither what is
// in it nor where it goes; whoever seals binds it to that.

import { err, ok, type Result } from '#core/result.ts';
import { openBytes, sealBytes } from '#core/sealed-bytes.ts';
import { findSealingKey, KEY_ID_CHARACTERS, type SealingKey, type SealingKeys } from '#core/sealing-key.ts';

/** Why a text does not open. For the log: whoever presents it must not learn which it was. */
export type SealFault = 'malformed' | 'key_unknown' | 'forged';

const SHAPE = /^([\w-]{8})\.([\w-]+)$/;

/** Base64url has several spellings of some bytes; a sealed text has one. */
const isCanonical = (text: string): boolean => Buffer.from(text, 'base64url').toString('base64url') === text;

/** @param nonce 12 random bytes. */
export const sealText = (
  key: SealingKey,
  nonce: Uint8Array,
  content: { readonly bytes: Uint8Array; readonly bound: Uint8Array },
): string => `${key.id}.${sealBytes(key.seal, nonce, content)}`;

/** The id of the key that sealed a text, if anybody's. */
export const keyIdOf = (text: string): string => text.slice(0, KEY_ID_CHARACTERS);

/** The bytes, if one of the keys sealed them and bound them to this. */
export const openText = (keys: SealingKeys, text: string, bound: Uint8Array): Result<Buffer, SealFault> => {
  const [, keyId, sealed] = SHAPE.exec(text) ?? [];
  if (keyId === undefined || sealed === undefined || !isCanonical(sealed)) return err('malformed');
  const key = findSealingKey(keys, keyId);
  if (key === undefined) return err('key_unknown');
  const bytes = openBytes(key.seal, sealed, bound);
  return bytes === undefined ? err('forged') : ok(bytes);
};
