// Shared state in a SQLite file, for the processes of one machine. The file is its own and not the registry's: a token that
// is written must not hold up a change of the configuration, nor wait for the disk as that does.

import type { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { createAttempts } from '#runtime/shared-state/attempt.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';
import { createSqlState, type Runner, type SqlStateOptions } from '#runtime/shared-state/sql.ts';
import {
  createSqliteTables,
  SQLITE,
  type SqlDatabase,
  type SqlTables,
} from '#runtime/shared-state/sql-tables.ts';
import { guardSqlite, openDatabase } from '#runtime/sql/sqlite-database.ts';
import { createSqliteDialect } from '#runtime/sql/sqlite-dialect.ts';

/** At a start another process may be making the tables, milliseconds. */
const START_BUSY_MS = 5_000;

type SqliteStateOptions = SqlStateOptions & { readonly path: string };

/** Two connections: who reads must not stand in line behind a writer that waits for another process. */
const openTwice = ({ path, deadlineMs }: SqliteStateOptions): readonly [DatabaseSync, DatabaseSync] => {
  const writer = openDatabase(path, { synchronous: 'NORMAL', busyTimeoutMs: START_BUSY_MS });
  createSqliteTables(writer);
  return [openDatabase(path, { synchronous: 'NORMAL', busyTimeoutMs: deadlineMs }), writer];
};

/**
 * Writers of this process one after the other, each in a transaction, because only its begin waits for the lock without
 * holding up the whole process. Those whose time has run out behind one that waited are passed over.
 */
const inLine = (database: SqlDatabase): Runner => {
  let before: Promise<unknown> = Promise.resolve();
  return (work, signal) => {
    const turn = before.then(() => {
      signal.throwIfAborted();
      return database.transaction().execute(work);
    });
    before = turn.catch(() => undefined);
    return turn;
  };
};

/**
 * Opens shared state in the file at `path`, creating it and its directory (0700) where needed.
 * @throws GatewayError `store_failed` if it cannot be opened.
 */
export const openSqliteState = (options: SqliteStateOptions): SharedState => {
  const files = guardSqlite(() => openTwice(options));
  const [reads, writes] = files.map(
    (file) => new Kysely<SqlTables>({ dialect: createSqliteDialect(file, options.deadlineMs) }),
  ) as [SqlDatabase, SqlDatabase];
  const attempts = createAttempts({ backend: 'sqlite', ...options });
  // Kysely opens the driver with the first query, so a file that was never used would never be closed.
  const close = async (): Promise<void> => {
    await Promise.all([reads.destroy(), writes.destroy()]);
    for (const file of files) if (file.isOpen) file.close();
  };
  return createSqlState(
    { words: SQLITE, attempts, reading: (work) => work(reads), writing: inLine(writes), close },
    options.sweepMs,
  );
};
