// A file of keys for what processes share of tokens, as an operator makes one.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configuredTokenCacheKeyFile } from '#runtime/token-cache-keys.ts';

/** Writes it into a directory. @returns its path, for TOKEN_CACHE_KEY_FILE. */
export const writeTokenCacheKey = (directory: string): string => {
  const path = join(directory, 'token-cache.key');
  const { generate } = configuredTokenCacheKeyFile({ TOKEN_CACHE_KEY_FILE: path });
  writeFileSync(path, `${generate()}\n`, { mode: 0o600 });
  return path;
};
