// A cached token as the text that leaves the process: sealed (AES-256-GCM) and bound to the key it is kept under, so that
// whoever holds the cache can neither read a token nor hand one caller another's. What does not open is a miss.

import { randomBytes } from 'node:crypto';
import { ok, type Result } from '#core/result.ts';
import { NONCE_BYTES } from '#core/sealed-bytes.ts';
import { keyIdOf, openText, type SealFault, sealText } from '#core/sealed-text.ts';
import type { SealingKey, SealingKeys } from '#core/sealing-key.ts';
import { Secret } from '#core/secret.ts';
import type { CachedToken } from '#ext-authz/token/cache.ts';
import type { KeyRing } from '#runtime/key-ring.ts';

/** The owner goes with it: the process that opens an entry has to be able to purge its own copy. */
export type OwnedToken = CachedToken & { readonly owner: string };

/** The format is in the key of the ring already; it is here as well, so that no other use of a key can be taken for this one. */
const boundTo = (cacheKey: string): Buffer => Buffer.from(JSON.stringify(['mcpgw-token-1', cacheKey]));

/** Stands in no JSON text without being escaped. */
const END_OF_HEAD = '\n';

/** @param nonce 12 random bytes: under one key none may be used twice. */
export const sealEntry = (
  key: SealingKey,
  nonce: Uint8Array,
  { cacheKey, entry }: { readonly cacheKey: string; readonly entry: OwnedToken },
): string => {
  const { token, expiresAt, notedAt, owner } = entry;
  const head = `${JSON.stringify([expiresAt, notedAt, owner])}${END_OF_HEAD}`;
  const bytes = Buffer.concat([Buffer.from(head), Buffer.from(token.reveal())]);
  return sealText(key, nonce, { bytes, bound: boundTo(cacheKey) });
};

export const openEntry = (
  keys: SealingKeys,
  text: string,
  cacheKey: string,
): Result<OwnedToken, SealFault> => {
  const opened = openText(keys, text, boundTo(cacheKey));
  if (!opened.ok) return opened;
  // Authentic, so it has the shape `sealEntry` gave it. The token stays bytes: as a text it would lie in the heap.
  const end = opened.value.indexOf(END_OF_HEAD);
  const head = opened.value.toString('utf8', 0, end);
  const [expiresAt, notedAt, owner] = JSON.parse(head) as [number, number, string];
  return ok({ token: new Secret(opened.value.subarray(end + 1)), expiresAt, notedAt, owner });
};

export type EntrySealer = {
  seal(cacheKey: string, entry: OwnedToken): string;
  /** Undefined where it does not open under this key, which is counted. */
  open(cacheKey: string, text: string): OwnedToken | undefined;
};

export const createEntrySealer = (parts: {
  readonly ring: KeyRing;
  readonly countUnopened: (fault: SealFault) => void;
}): EntrySealer => ({
  seal: (cacheKey, entry) =>
    sealEntry(parts.ring.current().current, randomBytes(NONCE_BYTES), { cacheKey, entry }),
  open: (cacheKey, text) => {
    const opened = openEntry(parts.ring.knowing(keyIdOf(text)), text, cacheKey);
    if (opened.ok) return opened.value;
    parts.countUnopened(opened.error);
    return undefined;
  },
});
