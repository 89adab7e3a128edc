// One SQLite connection and what durability asks of it. Knows no table.

import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '#core/gateway-error.ts';

/** How long a writer waits for another process, milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;

/** Runs `work`; whatever it throws becomes a GatewayError `store_failed`. */
export const guardStore = <T>(work: () => T): T => {
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
export const openDatabase = (path: string): DatabaseSync =>
  guardStore(() => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    chmodSync(path, 0o600);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF');
    return database;
  });

/** Runs `work` holding the write lock from its first statement; commits what it returns, undoes what throws. */
export const inTransaction = <T>(database: DatabaseSync, work: () => T): T =>
  guardStore(() => {
    database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      database.exec('COMMIT');
      return result;
    } catch (thrown) {
      // A failed COMMIT may have ended the transaction already.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw thrown;
    }
  });

/** Runs reads that belong together on one state of the database. */
export const inReadTransaction = <T>(database: DatabaseSync, work: () => T): T =>
  guardStore(() => {
    database.exec('BEGIN');
    try {
      return work();
    } finally {
      database.exec('COMMIT');
    }
  });
