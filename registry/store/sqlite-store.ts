// The store in a SQLite file: the default, for one registry on one machine.

import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { type AuditSecrets, endOfHead, HEAD_KEY } from '#registry/store/audit-append.ts';
import { createSqlStore } from '#registry/store/sql-store.ts';
import { migrateSqlite } from '#registry/store/sqlite-migrate.ts';
import type { Store } from '#registry/store/store.ts';
import type { Tables } from '#registry/store/tables.ts';
import { guardSqlite, openDatabase } from '#runtime/sql/sqlite-database.ts';
import { createSqliteDialect } from '#runtime/sql/sqlite-dialect.ts';

/** How long a writer waits for another process, milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;

const metaValue = (database: DatabaseSync, key: string): string =>
  String(database.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value']);

const openMigrated = (path: string, { keys }: AuditSecrets): DatabaseSync => {
  const database = openDatabase(path, { synchronous: 'FULL', busyTimeoutMs: BUSY_TIMEOUT_MS });
  try {
    migrateSqlite(database, randomUUID());
    endOfHead(keys, metaValue(database, HEAD_KEY));
    return database;
  } catch (thrown) {
    database.close();
    throw thrown;
  }
};

/**
 * Opens the store in the file at `path`, creating it and its directory (0700) where needed.
 * @throws GatewayError `store_failed` if it cannot be opened or was written by a newer program, `config_invalid` if its
 * audit was written with another key.
 */
export const openSqliteStore = (path: string, audit: AuditSecrets): Store =>
  guardSqlite(() => {
    const file = openMigrated(path, audit);
    const database = new Kysely<Tables>({ dialect: createSqliteDialect(file, BUSY_TIMEOUT_MS) });
    return createSqlStore({
      database,
      audit,
      epoch: metaValue(file, 'epoch'),
      sequence: Number(metaValue(file, 'sequence')),
      announceCommit: async () => undefined,
      listen: () => undefined,
      // Kysely opens the driver with the first query, so a store that was never used would never be closed.
      close: async () => {
        await database.destroy();
        if (file.isOpen) file.close();
      },
    });
  });
