// The file of session keys, and a ring of them that follows it: a key that is added is taken up while running, in the
// service that seals and in the one that opens, in whichever order they look.

import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import {
  deriveSessionKey,
  findSessionKey,
  SESSION_SECRET_BYTES,
  type SessionKey,
  type SessionKeys,
  sessionKeysOf,
} from '#core/session-key.ts';
import { directory, type Environment, readConfig, stateDirectory } from '#runtime/config.ts';
import { ensureKeyFile, type KeyFile, readKeyFile } from '#runtime/key-file.ts';
import type { Logger } from '#runtime/logger.ts';

const VARIABLE = 'SESSION_KEY_FILE';

/** How often the file is looked at, milliseconds; at most, because it is when somebody asks for the keys. */
const LOOK_MS = 1_000;

const parseKey = (line: string): SessionKey | undefined => {
  const bytes = Buffer.from(line, 'base64url');
  const isKey = bytes.length === SESSION_SECRET_BYTES && bytes.toString('base64url') === line;
  return isKey ? deriveSessionKey(bytes) : undefined;
};

/** 32 random bytes a line, in base64url. */
export const sessionKeyFile = (path: string): KeyFile<SessionKey> => ({
  path,
  variable: VARIABLE,
  generate: () => randomBytes(SESSION_SECRET_BYTES).toString('base64url'),
  parse: parseKey,
});

/** The file the environment names. @throws GatewayError `config_invalid` */
export const configuredSessionKeyFile = (environment?: Environment): KeyFile<SessionKey> => {
  const shape = { stateDirectory, path: directory(VARIABLE, '/') };
  const read = readConfig(shape, environment);
  return sessionKeyFile(
    read.path === '/' ? join(read.stateDirectory, 'session-keys', 'session.key') : read.path,
  );
};

export type SessionKeyRing = {
  /** The keys of the file as it was within the last second. */
  current(): SessionKeys;
  /**
   * The keys, where one of this id is asked for: one that is not known may have been added a moment ago by the service
   * that seals with it.
   */
  knowing(id: string): SessionKeys;
  /** For `/readyz`: the key that seals, which services of one deployment must agree on, and why a newer file is not used. */
  facts(): { readonly sessionKey: string; readonly sessionKeyFault: string | null };
};

const fingerprintOf = (path: string): string => {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'gone' : [found.ino, found.size, found.mtimeMs, found.ctimeMs].join();
};

/**
 * Opens the ring; the file is made with one key if it does not exist. A file that turns bad later is logged and the keys
 * that were read stay.
 * @throws GatewayError `config_invalid` if the first file cannot be used.
 */
export const openSessionKeys = (
  file: KeyFile<SessionKey>,
  { logger, nowMs }: { readonly logger: Logger; readonly nowMs: () => number },
): SessionKeyRing => {
  let keys = sessionKeysOf(ensureKeyFile(file));
  let seen = '';
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let fault: string | undefined;

  const look = (): void => {
    lookedAtMs = nowMs();
    try {
      const now = fingerprintOf(file.path);
      if (now === seen) return;
      keys = sessionKeysOf(readKeyFile(file));
      // Until it can be used, a new file is tried every time: what was wrong may be the disk and not the file.
      seen = now;
      fault = undefined;
      logger.info({ current: keys.current.id, keys: keys.all.length }, 'session keys');
    } catch (thrown) {
      const { message } = GatewayError.from(thrown);
      if (message !== fault) logger.error({ error: message }, 'session keys refused, the old ones serve');
      fault = message;
    }
  };
  const current = (): SessionKeys => {
    const age = nowMs() - lookedAtMs;
    // A clock that was set back must not stop the looking.
    if (age < 0 || age >= LOOK_MS) look();
    return keys;
  };
  current();
  return {
    current,
    knowing: (id) => {
      if (findSessionKey(current(), id) === undefined) look();
      return keys;
    },
    facts: () => ({ sessionKey: current().current.id, sessionKeyFault: fault ?? null }),
  };
};
