// A ring of keys that follows its file: a key that is added is taken up while running, in the process that seals and in the
// one that opens, in whichever order they look. It knows no format of what is sealed.

import { randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { GatewayError } from '#core/gateway-error.ts';
import {
  findSealingKey,
  SECRET_BYTES,
  type SealingKey,
  type SealingKeys,
  sealingKeysOf,
} from '#core/sealing-key.ts';
import { type KeyFile, readKeyFile } from '#runtime/key-file.ts';
import type { Logger } from '#runtime/logger.ts';

/** How often the file is looked at, milliseconds; at most, because it is when somebody asks for the keys. */
const LOOK_MS = 1_000;

export type KeyRing<K extends SealingKey = SealingKey> = {
  /** The keys of the file as it was within the last second. */
  current(): SealingKeys<K>;
  /**
   * The keys, where one of this id is asked for: one that is not known may have been added a moment ago by the process
   * that seals with it.
   */
  knowing(id: string): SealingKeys<K>;
  /** Why a newer file is not used. */
  fault(): string | undefined;
};

/** A file of 32 random bytes a line, in base64url. */
export const secretKeyFile = <K extends SealingKey>(
  where: { readonly path: string; readonly variable: string },
  derive: (secret: Uint8Array) => K,
): KeyFile<K> => ({
  ...where,
  generate: () => randomBytes(SECRET_BYTES).toString('base64url'),
  parse: (line) => {
    const bytes = Buffer.from(line, 'base64url');
    const isKey = bytes.length === SECRET_BYTES && bytes.toString('base64url') === line;
    return isKey ? derive(bytes) : undefined;
  },
});

const fingerprintOf = (path: string): string => {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'gone' : [found.ino, found.size, found.mtimeMs, found.ctimeMs].join();
};

/**
 * Opens the ring over a file that exists. One that turns bad later is logged and the keys that were read stay.
 * @param name what the keys are called in the log, e.g. `session keys`.
 * @throws GatewayError `config_invalid` if the file cannot be used.
 */
export const openKeyRing = <K extends SealingKey>(
  file: KeyFile<K>,
  { name, logger, nowMs }: { readonly name: string; readonly logger: Logger; readonly nowMs: () => number },
): KeyRing<K> => {
  let keys = sealingKeysOf(readKeyFile(file));
  let seen = '';
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let fault: string | undefined;

  const look = (): void => {
    lookedAtMs = nowMs();
    try {
      const now = fingerprintOf(file.path);
      if (now === seen) return;
      keys = sealingKeysOf(readKeyFile(file));
      // Until it can be used, a new file is tried every time: what was wrong may be the disk and not the file.
      seen = now;
      fault = undefined;
      logger.info({ current: keys.current.id, keys: keys.all.length }, name);
    } catch (thrown) {
      const { message } = GatewayError.from(thrown);
      if (message !== fault) logger.error({ error: message }, `${name} refused, the old ones serve`);
      fault = message;
    }
  };
  const current = (): SealingKeys<K> => {
    const age = nowMs() - lookedAtMs;
    // A clock that was set back must not stop the looking.
    if (age < 0 || age >= LOOK_MS) look();
    return keys;
  };
  current();
  return {
    current,
    knowing: (id) => {
      if (findSealingKey(current(), id) === undefined) look();
      return keys;
    },
    fault: () => fault,
  };
};
