// Connections to Postgres and how long anything on them may take. Knows no table.

import pg from 'pg';
import type { Secret } from '#core/secret.ts';

/** Connections of one registry: writes queue up behind one lock anyway, and reads are short. */
const MAX_CONNECTIONS = 10;
/** Longest wait for a connection, milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000;
/** Longest statement, milliseconds; the first read of a large tenant is the longest there is. */
const STATEMENT_TIMEOUT_MS = 15_000;
/** Longest wait for a lock: a writer that hangs in another registry must not hang this one, milliseconds. */
const LOCK_TIMEOUT_MS = 5_000;
/** After this a server that was cut off from its client gives up the transaction and its locks, milliseconds. */
const IDLE_IN_TRANSACTION_MS = 10_000;
/** Longest silence of a server in the middle of a statement: its host may be gone, milliseconds. */
const QUERY_TIMEOUT_MS = 20_000;

const INT8 = pg.types.builtins.INT8;

/** Our integers stay below 2^53, so they need not be text. */
const TYPES = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary'
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

const configFor = (url: Secret): pg.ClientConfig => ({
  connectionString: url.reveal(),
  application_name: 'mcpgw-registry',
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  statement_timeout: STATEMENT_TIMEOUT_MS,
  lock_timeout: LOCK_TIMEOUT_MS,
  idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  query_timeout: QUERY_TIMEOUT_MS,
  keepAlive: true,
  types: TYPES,
});

/** Connections on demand; one that breaks is replaced with the next query that needs one. */
export const createPool = (url: Secret): pg.Pool => {
  const pool = new pg.Pool({ ...configFor(url), max: MAX_CONNECTIONS });
  // A connection that breaks while nobody uses it is nobody's failure; without a listener it would end the process.
  pool.on('error', () => undefined);
  // And one that breaks between two statements of a transaction: the next statement fails, which is how it is heard.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
};

/** One connection of its own, for listening. */
export const createClient = (url: Secret): pg.Client => new pg.Client(configFor(url));
