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

/** Result code `SQLITE_BUSY` (sqlite.org/rescode.html). */
const BUSY = 5;

const PAUSE_MS = 5;

const isBusy = (thrown: unknown): boolean =>
  thrown instanceof Error && 'errcode' in thrown && thrown.errcode === BUSY;

/** Holds the whole process up, as every statement that waits does. */
const pause = (durationMs: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
};

/**
 * Where several processes open a new file at once, each reads it and wants to be alone to change its mode: SQLite sees that
 * they would wait for each other for ever, and tells all but one that the file is locked, whatever their time limit.
 */
const enterWal = (database: DatabaseSync, limitMs: number): void => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (thrown) {
      if (!isBusy(thrown) || performance.now() > deadline) throw thrown;
    }
    pause(PAUSE_MS);
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
  enterWal(database, options.busyTimeoutMs);
  database.exec(`PRAGMA synchronous = ${options.synchronous}; PRAGMA trusted_schema = OFF`);
  return database;
};
