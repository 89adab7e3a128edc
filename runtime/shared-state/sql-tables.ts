// The tables of shared state, and how each database makes them. Their names carry the number of their shape: another shape
// gets other tables, so processes of two versions can run beside each other.

import type { DatabaseSync } from 'node:sqlite';
import { type Kysely, type RawBuilder, sql } from 'kysely';

export type SqlTables = {
  mcpgw_shared_value_1: {
    /** Digest of the key: what callers name things has no bound and no alphabet, an index has both. As the next. */
    readonly id: string;
    readonly owner: string | null;
    /** Bytes, because a text of Postgres takes no NUL. */
    readonly value: Uint8Array;
    /** Milliseconds since the epoch, by the clock of the database. */
    readonly ends_at: number;
  };
  mcpgw_shared_lease_1: {
    readonly id: string;
    readonly holder: string;
    readonly ends_at: number;
  };
};

export type SqlDatabase = Kysely<SqlTables>;

/** What the databases say in different words. */
export type SqlWords = {
  readonly now: RawBuilder<number>;
  /** Whether rows are locked one by one: then what somebody else is at work on is waited for or left alone. */
  readonly locksRows: boolean;
};

export const POSTGRES: SqlWords = {
  now: sql<number>`(extract(epoch from clock_timestamp()) * 1000)::double precision`,
  locksRows: true,
};

export const SQLITE: SqlWords = { now: sql<number>`(unixepoch('subsec') * 1000)`, locksRows: false };

const INDEXES = [
  'create index if not exists mcpgw_shared_value_1_owner on mcpgw_shared_value_1 (owner) where owner is not null',
  'create index if not exists mcpgw_shared_value_1_end on mcpgw_shared_value_1 (ends_at)',
  'create index if not exists mcpgw_shared_lease_1_end on mcpgw_shared_lease_1 (ends_at)',
];

/** Values are unlogged: a crash may cost them, and sealed tokens go into no log, standby or base backup of the server. */
const POSTGRES_TABLES = [
  `create unlogged table if not exists mcpgw_shared_value_1
     (id text primary key, owner text, value bytea not null, ends_at double precision not null)`,
  `create table if not exists mcpgw_shared_lease_1
     (id text primary key, holder text not null, ends_at double precision not null)`,
  ...INDEXES,
];

const SQLITE_TABLES = [
  `create table if not exists mcpgw_shared_value_1
     (id text primary key, owner text, value blob not null, ends_at real not null) strict`,
  `create table if not exists mcpgw_shared_lease_1
     (id text primary key, holder text not null, ends_at real not null) strict, without rowid`,
  ...INDEXES,
];

/** Names the lock under which one process at a time makes tables; the registry's is another. */
const TABLES_LOCK = 1_835_167_608;

/** Makes what is missing. Where all is there nothing is asked for, so a role that may not create tables will do. */
export const createPostgresTables = async (database: SqlDatabase): Promise<void> => {
  const found = await sql<{ missing: boolean }>`
    select to_regclass('mcpgw_shared_value_1') is null or to_regclass('mcpgw_shared_lease_1') is null as missing
  `.execute(database);
  if (found.rows[0]?.missing === false) return;
  await database.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${TABLES_LOCK})`.execute(transaction);
    for (const statement of POSTGRES_TABLES) await sql.raw(statement).execute(transaction);
  });
};

export const createSqliteTables = (database: DatabaseSync): void => {
  database.exec(['begin immediate', ...SQLITE_TABLES, 'commit'].join(';\n'));
};
