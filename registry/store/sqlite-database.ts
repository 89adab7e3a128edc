// A SQLite file and what durability asks of it. Knows no table.

import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '#core/gateway-error.ts';
import { BUSY_TIMEOUT_MS } from '#registry/store/sqlite-dialect.ts';

/** Runs `work`; whatever it throws becomes a GatewayError `store_failed`. */
export const guardSqlite = <T>(work: () => T): T => {
  try {
    return work();
  } catch (thrown) {
    throw GatewayError.from(thrown, 'store_failed');
  }
};

/**
 * Opens or creates the database, readable by its owner only.
 * WAL with synchronous=FULL: a commit is on the disk before it returns, whatever is killed next.
 */
export const openDatabase = (path: string): DatabaseSync => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  chmodSync(path, 0o600);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF');
  return database;
};
