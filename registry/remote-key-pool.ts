// Keys by address, shared by the tenants that name it.

import type { RemoteKeys } from '#registry/remote-keys.ts';

export type CreateKeys = (address: { readonly issuer: string; readonly jwksUri: string }) => RemoteKeys;

export type KeyAddress = Parameters<CreateKeys>[0];

/** None yet. */
export const createKeyPool = (createKeys: CreateKeys) => {
  const pool = new Map<string, RemoteKeys>();
  const nameOf = ({ issuer, jwksUri }: KeyAddress): string => JSON.stringify([issuer, jwksUri]);
  return {
    keysOf: (address: KeyAddress): RemoteKeys => {
      const keys = pool.get(nameOf(address)) ?? createKeys(address);
      pool.set(nameOf(address), keys);
      return keys;
    },
    /** Forgets the keys of those that are trusted no longer. */
    keep: (addresses: Iterable<KeyAddress>): void => {
      const kept = new Set([...addresses].map(nameOf));
      for (const [name, keys] of pool) {
        if (kept.has(name)) continue;
        keys.stop();
        pool.delete(name);
      }
    },
  };
};
