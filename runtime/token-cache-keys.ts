// The file of the keys that cached tokens are sealed under, and the ring over it. Every process that shares a cache has the
// same keys, so the file is made by a person, once: one that each machine made for itself would fit no other.

import { GatewayError } from '#core/gateway-error.ts';
import { deriveSealingKey, type SealingKey } from '#core/sealing-key.ts';
import { directory, type Environment, readConfig } from '#runtime/config.ts';
import type { KeyFile } from '#runtime/key-file.ts';
import { type KeyRing, openKeyRing, secretKeyFile } from '#runtime/key-ring.ts';
import type { Logger } from '#runtime/logger.ts';

const VARIABLE = 'TOKEN_CACHE_KEY_FILE';
/** Of what is sealed: a change of it is a change of every key. */
const FORMAT = 'mcpgw-token-1';

const NOT_SET = `${VARIABLE} is required where processes share state, because what they share is sealed: name a file, the same \
for all of them, and make it with \`npm run -s token-cache:rotate-key\``;

/** The key of a secret of 32 random bytes. */
export const deriveTokenCacheKey = (secret: Uint8Array): SealingKey => deriveSealingKey(secret, FORMAT);

/** The file the environment names. @throws GatewayError `config_invalid` if it names none. */
export const configuredTokenCacheKeyFile = (environment?: Environment): KeyFile<SealingKey> => {
  const { path } = readConfig({ path: directory(VARIABLE, '/') }, environment);
  if (path === '/') throw new GatewayError('config_invalid', NOT_SET);
  return secretKeyFile({ path, variable: VARIABLE }, deriveTokenCacheKey);
};

export type TokenCacheKeyRing = KeyRing & {
  /** For `/readyz`: the key that seals, those that open, and why a newer file is not used. */
  facts(): {
    readonly tokenCacheKey: string;
    readonly tokenCacheKeys: readonly string[];
    readonly tokenCacheKeyFault: string | null;
  };
};

/** @throws GatewayError `config_invalid` if the file cannot be used, also if it does not exist. */
export const openTokenCacheKeys = (
  file: KeyFile<SealingKey>,
  io: { readonly logger: Logger; readonly nowMs: () => number },
): TokenCacheKeyRing => {
  const ring = openKeyRing(file, { ...io, name: 'token cache keys' });
  return {
    ...ring,
    facts: () => {
      const { current, all } = ring.current();
      return {
        tokenCacheKey: current.id,
        tokenCacheKeys: all.map(({ id }) => id),
        tokenCacheKeyFault: ring.fault() ?? null,
      };
    },
  };
};
