// Keys that seal, and several of them at once: the newest seals, all of them open, so a rotation loses nothing. A key's id
// stands in the clear before what it sealed and is derived from the secret like the key itself, so it gives nothing away
// and a format that changes changes every id.

import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

export const SECRET_BYTES = 32;

export type SealingKey = {
  /** `KEY_ID_CHARACTERS` of base64url. */
  readonly id: string;
  readonly seal: KeyObject;
};

export type SealingKeys<K extends SealingKey = SealingKey> = {
  /** Seals. */
  readonly current: K;
  /** Open, the current one among them; oldest first. */
  readonly all: readonly K[];
};

const KEY_ID_BYTES = 6;
export const KEY_ID_CHARACTERS = 8;

/** Bytes for one use in one format (HKDF, RFC 5869): no other use or format has anything to do with them. */
export const deriveBytes = (
  secret: Uint8Array,
  { format, use, bytes }: { readonly format: string; readonly use: string; readonly bytes: number },
): Buffer => Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), `${format} ${use}`, bytes));

/** The key of a secret of 32 random bytes. */
export const deriveSealingKey = (secret: Uint8Array, format: string): SealingKey => ({
  id: deriveBytes(secret, { format, use: 'id', bytes: KEY_ID_BYTES }).toString('base64url'),
  seal: createSecretKey(deriveBytes(secret, { format, use: 'seal', bytes: SECRET_BYTES })),
});

export const sealingKeysOf = <K extends SealingKey>(all: readonly [K, ...K[]]): SealingKeys<K> => ({
  current: all.at(-1) ?? all[0],
  all,
});

export const findSealingKey = <K extends SealingKey>({ all }: SealingKeys<K>, id: string): K | undefined =>
  all.find((key) => key.id === id);
