// The registry's connections to Postgres, and how long it waits on them. Knows no table.

import type pg from 'pg';
import type { Secret } from '#core/secret.ts';
import { createClient, createPool, type PostgresLimits } from '#runtime/sql/postgres-pool.ts';

const LIMITS: PostgresLimits = {
  applicationName: 'mcpgw-registry',
  // Writes queue up behind one lock anyway, and reads are short.
  maxConnections: 10,
  connectMs: 5_000,
  // The first read of a large tenant is the longest there is.
  statementMs: 15_000,
  // A writer that hangs in another registry must not hang this one.
  lockMs: 5_000,
  idleInTransactionMs: 10_000,
  queryMs: 20_000,
  synchronousCommit: 'on',
};

export const createRegistryPool = (url: Secret): pg.Pool => createPool(url, LIMITS);

/** One connection of its own, for listening. */
export const createListener = (url: Secret): pg.Client => createClient(url, LIMITS);
