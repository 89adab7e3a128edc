// Connections to Postgres and how long anything on them may take. Knows no table, and no reason for its limits.

import type { PostgresPool } from 'kysely';
import pg from 'pg';
import type { Secret } from '#core/secret.ts';

/** Everything in milliseconds, where it is a time. */
export type PostgresLimits = {
  /** Seen by the database's operator. */
  readonly applicationName: string;
  readonly maxConnections: number;
  /** Longest wait for a connection, one of the pool's own too. */
  readonly connectMs: number;
  /** Longest statement. */
  readonly statementMs: number;
  /** Longest wait for a lock. */
  readonly lockMs: number;
  /** After this a server that was cut off from its client gives up the transaction and its locks. */
  readonly idleInTransactionMs: number;
  /** Longest silence of a server in the middle of a statement: its host may be gone. */
  readonly queryMs: number;
  /** Whether a commit waits for the disk of the server. */
  readonly synchronousCommit: 'on' | 'off';
};

const INT8 = pg.types.builtins.INT8;

/** Our integers stay below 2^53, so they need not be text. */
const TYPES = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary'
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

const configFor = (url: Secret, limits: PostgresLimits): pg.ClientConfig => ({
  connectionString: url.reveal(),
  application_name: limits.applicationName,
  connectionTimeoutMillis: limits.connectMs,
  statement_timeout: limits.statementMs,
  lock_timeout: limits.lockMs,
  idle_in_transaction_session_timeout: limits.idleInTransactionMs,
  query_timeout: limits.queryMs,
  keepAlive: true,
  types: TYPES,
  // Nothing is said where the server's own default is meant: some poolers between take no such option.
  ...(limits.synchronousCommit === 'off' ? { options: '-c synchronous_commit=off' } : {}),
});

/** Connections on demand; one that breaks is replaced with the next query that needs one. */
export const createPool = (url: Secret, limits: PostgresLimits): pg.Pool => {
  const pool = new pg.Pool({ ...configFor(url, limits), max: limits.maxConnections });
  // A connection that breaks while nobody uses it is nobody's failure; without a listener it would end the process.
  pool.on('error', () => undefined);
  // And one that breaks between two statements of a transaction: the next statement fails, which is how it is heard.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
};

/**
 * The pool for the query builder. A connection whose server did not answer is not used again: what the next one asked would
 * wait behind it, and a host that is gone holds a connection for a quarter of an hour.
 */
export const answeringPool = (pool: pg.Pool): PostgresPool => ({
  options: pool.options,
  connect: async () => {
    const client = await pool.connect();
    let isAnswering = true;
    const query = async (text: string, parameters: readonly unknown[]) => {
      try {
        return await client.query(text, [...parameters]);
      } catch (thrown) {
        isAnswering = thrown instanceof pg.DatabaseError;
        throw thrown;
      }
    };
    return { query: query as never, release: () => client.release(!isAnswering) };
  },
  end: () => pool.end(),
});

/** One connection of its own. */
export const createClient = (url: Secret, limits: PostgresLimits): pg.Client =>
  new pg.Client(configFor(url, limits));
