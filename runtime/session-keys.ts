// The file of session keys, which the services that seal sessions and open them share.

import { join } from 'node:path';
import { deriveSessionKey, type SessionKey } from '#core/session-key.ts';
import { directory, type Environment, readConfig, stateDirectory } from '#runtime/config.ts';
import { ensureKeyFile, type KeyFile } from '#runtime/key-file.ts';
import { type KeyRing, openKeyRing, secretKeyFile } from '#runtime/key-ring.ts';
import type { Logger } from '#runtime/logger.ts';

const VARIABLE = 'SESSION_KEY_FILE';

export const sessionKeyFile = (path: string): KeyFile<SessionKey> =>
  secretKeyFile({ path, variable: VARIABLE }, deriveSessionKey);

/** The file the environment names. @throws GatewayError `config_invalid` */
export const configuredSessionKeyFile = (environment?: Environment): KeyFile<SessionKey> => {
  const shape = { stateDirectory, path: directory(VARIABLE, '/') };
  const read = readConfig(shape, environment);
  return sessionKeyFile(
    read.path === '/' ? join(read.stateDirectory, 'session-keys', 'session.key') : read.path,
  );
};

export type SessionKeyRing = KeyRing<SessionKey> & {
  /** For `/readyz`: the key that seals, which services of one deployment must agree on, and why a newer file is not used. */
  facts(): { readonly sessionKey: string; readonly sessionKeyFault: string | null };
};

/**
 * Opens the ring; the file is made with one key if it does not exist.
 * @throws GatewayError `config_invalid` if the first file cannot be used.
 */
export const openSessionKeys = (
  file: KeyFile<SessionKey>,
  io: { readonly logger: Logger; readonly nowMs: () => number },
): SessionKeyRing => {
  ensureKeyFile(file);
  const ring = openKeyRing(file, { ...io, name: 'session keys' });
  return {
    ...ring,
    facts: () => ({ sessionKey: ring.current().current.id, sessionKeyFault: ring.fault() ?? null }),
  };
};
