// Shared state in Postgres: a few connections of its own, and tables that are made with the first use, so that a service
// starts while the database is away.

import { Kysely, PostgresDialect } from 'kysely';
import type { Secret } from '#core/secret.ts';
import { createAttempts } from '#runtime/shared-state/attempt.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';
import { createSqlState, type Runner, type SqlStateOptions } from '#runtime/shared-state/sql.ts';
import {
  createPostgresTables,
  POSTGRES,
  type SqlDatabase,
  type SqlTables,
} from '#runtime/shared-state/sql-tables.ts';
import { answeringPool, createPool } from '#runtime/sql/postgres-pool.ts';

/** A question takes well under a millisecond, so few connections answer thousands a second. */
const MAX_CONNECTIONS = 4;

/** Longest time a connection may take, milliseconds. No call waits for it; the next one finds it made. */
const CONNECT_MS = 3_000;

type PostgresStateOptions = SqlStateOptions & { readonly url: Secret };

const openDatabase = ({ url, deadlineMs }: PostgresStateOptions): SqlDatabase => {
  const pool = createPool(url, {
    applicationName: 'mcpgw-shared-state',
    maxConnections: MAX_CONNECTIONS,
    connectMs: Math.max(CONNECT_MS, deadlineMs),
    statementMs: deadlineMs,
    lockMs: deadlineMs,
    idleInTransactionMs: 2 * deadlineMs,
    // Later than the server's own end of it: then the connection is still good.
    queryMs: 2 * deadlineMs,
    // A lease or a mark of the last moments before a crash of the server is worth less than a wait for the disk a call.
    synchronousCommit: 'off',
  });
  return new Kysely<SqlTables>({ dialect: new PostgresDialect({ pool: answeringPool(pool) }) });
};

/** Opens shared state in the database that `url` names. Nothing is asked of it yet. */
export const openPostgresState = (options: PostgresStateOptions): SharedState => {
  const database = openDatabase(options);
  let tables: Promise<void> | undefined;
  /** After a failure the tables are looked for again: the database may be another by now. */
  const withTables: Runner = async (work, signal) => {
    try {
      tables ??= createPostgresTables(database);
      await tables;
      return await database.connection().execute((connection) => {
        signal.throwIfAborted();
        return work(connection);
      });
    } catch (thrown) {
      tables = undefined;
      throw thrown;
    }
  };
  const attempts = createAttempts({ backend: 'postgres', ...options });
  const running = { words: POSTGRES, attempts, reading: withTables, writing: withTables };
  return createSqlState({ ...running, close: () => database.destroy() }, options.sweepMs);
};
