// The registry's database as the audit's commands open it: the Postgres that POSTGRES_URL names or the SQLite file, as it
// is. Nothing is migrated here, and what only reads cannot write.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, PostgresDialect } from 'kysely';
import { GatewayError } from '#core/gateway-error.ts';
import type { Secret } from '#core/secret.ts';
import { pathOf, stop } from '#registry/manifest-cli/command.ts';
import type { Database, Tables } from '#registry/store/tables.ts';
import { NONE, readConfig, secretUrl, stateDirectory } from '#runtime/config.ts';
import { createSqliteDialect } from '#runtime/sql/sqlite-dialect.ts';

/** How long a command waits for a registry that writes, milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;

export type DatabaseUse = { readonly file: string | undefined; readonly mode: 'read' | 'write' };

const VARIABLES = { stateDirectory, postgresUrl: secretUrl('postgres', 'postgresql')('POSTGRES_URL', NONE) };

const openSqlite = (path: string, mode: DatabaseUse['mode']): Kysely<Tables> => {
  const file = new DatabaseSync(path, { readOnly: mode === 'read', timeout: BUSY_TIMEOUT_MS });
  return new Kysely<Tables>({ dialect: createSqliteDialect(file, BUSY_TIMEOUT_MS) });
};

const openPostgres = async (url: Secret): Promise<Kysely<Tables>> => {
  const { createRegistryPool } = await import('#registry/store/postgres-database.ts');
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createRegistryPool(url) }) });
};

const open = async ({ file, mode }: DatabaseUse): Promise<Kysely<Tables> | undefined> => {
  if (file !== undefined) {
    const path = pathOf(file);
    return existsSync(path) ? openSqlite(path, mode) : stop(`${file} cannot be read`);
  }
  const config = readConfig(VARIABLES);
  if (config.postgresUrl !== undefined) return openPostgres(config.postgresUrl);
  const path = join(config.stateDirectory, 'registry', 'registry.db');
  return existsSync(path) ? openSqlite(path, mode) : undefined;
};

/**
 * Runs `work` over the registry's database; undefined if there is none here.
 * @throws GatewayError `store_failed` if it cannot be read, or was never opened by a registry with a keyed audit.
 */
export const withRegistry = async <T>(
  use: DatabaseUse,
  work: (database: Database) => Promise<T>,
): Promise<T | undefined> => {
  const database = await open(use);
  if (database === undefined) return undefined;
  try {
    return await work(database);
  } catch (thrown) {
    throw GatewayError.from(thrown, 'store_failed');
  } finally {
    await database.destroy();
  }
};
