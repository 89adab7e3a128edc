// A SQLite file and what durability asks of it. Knows no table.

import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { GatewayError } from '#core/gateway-error.ts';

/** Runs `work`; whatever it throws becomes a GatewayError `store_failed`. */
export const guardSqlite = <T>(work: () => T): T => {
  try {
    return work();
  } catch (thrown) {
    throw GatewayError.from(thrown, 'store_failed');
  }
};

/**
 * Opens or creates the database in WAL, readable by its owner only.
 * @param options.synchronous `FULL`: a commit is on the disk before it returns, whatever is killed next. `NORMAL`: it
 * outlives the process, and not a loss of power.
 * @param options.busyTimeoutMs how long a statement waits for another process, milliseconds; the process waits with it.
 */
export const openDatabase = (
  path: string,
  options: { readonly synchronous: 'FULL' | 'NORMAL'; readonly busyTimeoutMs: number },
): DatabaseSync => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path, {
    timeout: options.busyTimeoutMs,
    enableForeignKeyConstraints: true,
  });
  chmodSync(path, 0o600);
  database.exec(
    `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${options.synchronous}; PRAGMA trusted_schema = OFF`,
  );
  return database;
};
