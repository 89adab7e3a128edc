// The keys sessions are sealed under. A key's id stands in the clear before what it sealed and is derived from the secret
// like the key itself, so it gives nothing away and a format that changes changes every id.

import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

export const SESSION_SECRET_BYTES = 32;

export type SessionKey = {
  /** `KEY_ID_CHARACTERS` of base64url. */
  readonly id: string;
  readonly seal: KeyObject;
  /** MACs of event ids. */
  readonly events: KeyObject;
};

export type SessionKeys = {
  /** Seals. */
  readonly current: SessionKey;
  /** Open, the current one among them; oldest first. */
  readonly all: readonly SessionKey[];
};

const KEY_ID_BYTES = 6;
export const KEY_ID_CHARACTERS = 8;

const derive = (secret: Uint8Array, use: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, new Uint8Array(0), `mcpgw-session-1 ${use}`, bytes));

/** The key of a secret of 32 random bytes (HKDF, RFC 5869). */
export const deriveSessionKey = (secret: Uint8Array): SessionKey => ({
  id: derive(secret, 'id', KEY_ID_BYTES).toString('base64url'),
  seal: createSecretKey(derive(secret, 'seal', SESSION_SECRET_BYTES)),
  events: createSecretKey(derive(secret, 'events', SESSION_SECRET_BYTES)),
});

export const sessionKeysOf = (all: readonly [SessionKey, ...SessionKey[]]): SessionKeys => ({
  current: all.at(-1) ?? all[0],
  all,
});

export const findSessionKey = ({ all }: SessionKeys, id: string): SessionKey | undefined =>
  all.find((key) => key.id === id);
