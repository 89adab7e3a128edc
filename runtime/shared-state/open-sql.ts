// Shared state in SQL as a deployment asks for it: in the Postgres it names, or else in a SQLite file of this machine.

import { join } from 'node:path';
import type { Secret } from '#core/secret.ts';
import {
  type Environment,
  integer,
  NONE,
  readConfig,
  secretUrl,
  stateDirectory,
  text,
} from '#runtime/config.ts';
import type { Logger } from '#runtime/logger.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

const postgres = secretUrl('postgres', 'postgresql');

/** Longest wait for an answer of shared state, milliseconds: a call waits for several of them in turn at worst. */
export const sharedStateTimeout = integer(50, 10_000)('SHARED_STATE_TIMEOUT_MS', '250');

const VARIABLES = {
  stateDirectory,
  /** A role of its own, or a database: whoever decides calls need not be able to change what the registry holds. */
  ownUrl: postgres('SHARED_STATE_POSTGRES_URL', NONE),
  registryUrl: postgres('POSTGRES_URL', NONE),
  file: text('SHARED_STATE_SQLITE_FILE', NONE),
  deadlineMs: sharedStateTimeout,
};

export type SqlStateConfiguration = {
  /** Undefined: SQLite. */
  readonly url: Secret | undefined;
  readonly path: string;
  readonly deadlineMs: number;
};

/** @throws GatewayError `config_invalid` */
export const readSqlStateConfiguration = (environment?: Environment): SqlStateConfiguration => {
  const {
    ownUrl,
    registryUrl,
    file,
    stateDirectory: directory,
    deadlineMs,
  } = readConfig(VARIABLES, environment);
  const path = file === NONE ? join(directory, 'shared-state', 'shared-state.db') : file;
  return { url: ownUrl ?? registryUrl, path, deadlineMs };
};

/**
 * Opens shared state there; nobody pays for the driver of a database that is not used.
 * @throws GatewayError `store_failed` if the SQLite file cannot be opened. A Postgres that is away is asked again with
 * every call.
 */
export const openSqlState = async (
  { url, path, deadlineMs }: SqlStateConfiguration,
  logger: Logger,
): Promise<SharedState> => {
  if (url === undefined) {
    const { openSqliteState } = await import('#runtime/shared-state/sqlite-state.ts');
    return openSqliteState({ path, deadlineMs, logger });
  }
  const { openPostgresState } = await import('#runtime/shared-state/postgres-state.ts');
  return openPostgresState({ url, deadlineMs, logger });
};
