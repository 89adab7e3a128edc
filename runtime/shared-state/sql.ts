// Shared state in a SQL database, in two tables of its own. Every question is one statement, and time is the database's.
// It knows no dialect: what differs is handed to it.

import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Logger } from '#runtime/logger.ts';
import { lookAgain } from '#runtime/look-again.ts';
import type { Attempts } from '#runtime/shared-state/attempt.ts';
import type { SharedEntry, SharedState } from '#runtime/shared-state/shared-state.ts';
import type { SqlDatabase, SqlTables, SqlWords } from '#runtime/shared-state/sql-tables.ts';

/** Rows that go in one statement of a sweep, and statements of one sweep: no sweep holds up a call for long. */
const SWEPT_ROWS = 500;
const SWEPT_BATCHES = 20;
/** Between two sweeps, milliseconds. Rows that have ended are not found before they are swept either. */
const SWEEP_MS = 30_000;

/** Runs work over the database, unless it was given up before its turn: what nobody waits for any more is not done late. */
export type Runner = <T>(work: (database: SqlDatabase) => Promise<T>, signal: AbortSignal) => Promise<T>;

export type SqlParts = {
  readonly words: SqlWords;
  readonly attempts: Attempts;
  /** Runs what only reads. */
  readonly reading: Runner;
  /** Runs one statement that writes. */
  readonly writing: Runner;
  readonly close: () => Promise<void>;
};

export type SqlStateOptions = {
  /** Longest wait for an answer, milliseconds. */
  readonly deadlineMs: number;
  readonly logger: Logger;
  /** For tests: between two sweeps. */
  readonly sweepMs?: number;
};

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

const endIn = ({ now }: SqlWords, lifetimeMs: number) => sql<number>`${now} + ${lifetimeMs}`;

const findValue = (database: SqlDatabase, key: string, words: SqlWords) =>
  database
    .selectFrom('mcpgw_shared_value_1')
    .select('value')
    .where('id', '=', digest(key))
    .where('ends_at', '>', words.now)
    .executeTakeFirst();

const writeValue = async (
  database: SqlDatabase,
  { key, entry, words }: { readonly key: string; readonly entry: SharedEntry; readonly words: SqlWords },
): Promise<void> => {
  const { value, owner, lifetimeMs } = entry;
  await database
    .insertInto('mcpgw_shared_value_1')
    .values({
      id: digest(key),
      owner: owner === undefined ? null : digest(owner),
      value: Buffer.from(value),
      ends_at: endIn(words, lifetimeMs),
    })
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet(({ ref }) => ({
        owner: ref('excluded.owner'),
        value: ref('excluded.value'),
        ends_at: ref('excluded.ends_at'),
      })),
    )
    .execute();
};

/** The row is put where none is, or over one whose time is over: of two who try, one finds the other's there. */
const takeLease = async (
  database: SqlDatabase,
  lease: { readonly id: string; readonly holder: string; readonly lifetimeMs: number },
  words: SqlWords,
): Promise<boolean> => {
  const taken = await database
    .insertInto('mcpgw_shared_lease_1')
    .values({
      id: lease.id,
      holder: digest(lease.holder),
      ends_at: endIn(words, lease.lifetimeMs),
    })
    .onConflict((conflict) =>
      conflict
        .column('id')
        .doUpdateSet(({ ref }) => ({ holder: ref('excluded.holder'), ends_at: ref('excluded.ends_at') }))
        .where('mcpgw_shared_lease_1.ends_at', '<=', words.now),
    )
    .returning('id')
    .executeTakeFirst();
  return taken !== undefined;
};

/** In one order, so that two who remove what one user owns do not wait for each other. */
const removeOwned = async (database: SqlDatabase, owner: string, words: SqlWords): Promise<void> => {
  const owned = database
    .selectFrom('mcpgw_shared_value_1')
    .select('id')
    .where('owner', '=', digest(owner))
    .orderBy('id')
    .$if(words.locksRows, (query) => query.forUpdate());
  await database.deleteFrom('mcpgw_shared_value_1').where('id', 'in', owned).execute();
};

const sweepBatch = async (
  database: SqlDatabase,
  table: keyof SqlTables,
  words: SqlWords,
): Promise<number> => {
  const ended = database
    .selectFrom(table)
    .select('id')
    .where('ends_at', '<=', words.now)
    .orderBy('ends_at')
    .limit(SWEPT_ROWS)
    .$if(words.locksRows, (query) => query.forUpdate().skipLocked());
  const { numDeletedRows } = await database.deleteFrom(table).where('id', 'in', ended).executeTakeFirst();
  return Number(numDeletedRows);
};

const createSweep =
  ({ attempts, writing, words }: SqlParts) =>
  async (): Promise<void> => {
    for (const table of ['mcpgw_shared_value_1', 'mcpgw_shared_lease_1'] as const)
      for (let batch = 0; batch < SWEPT_BATCHES; batch += 1) {
        const swept = await attempts.run((signal) =>
          writing((database) => sweepBatch(database, table, words), signal),
        );
        if (!swept.ok || swept.value < SWEPT_ROWS) break;
      }
  };

/** Shared state over an open database. */
export const createSqlState = (parts: SqlParts, sweepMs: number = SWEEP_MS): SharedState => {
  const { attempts, reading, writing, words } = parts;
  const stopSweeping = lookAgain(createSweep(parts), sweepMs);
  let closed: Promise<void> | undefined;
  const change = (work: (database: SqlDatabase) => Promise<unknown>) =>
    attempts.run(async (signal) => {
      await writing(work, signal);
      return true as const;
    });
  return {
    read: (key) =>
      attempts.run(async (signal) => {
        const found = await reading((database) => findValue(database, key, words), signal);
        return found === undefined ? undefined : Buffer.from(found.value).toString('utf8');
      }),
    write: (key, entry) => change((database) => writeValue(database, { key, entry, words })),
    remove: (key) =>
      change((database) =>
        database.deleteFrom('mcpgw_shared_value_1').where('id', '=', digest(key)).execute(),
      ),
    removeOwned: (owner) => change((database) => removeOwned(database, owner, words)),
    claim: (key, { holder, lifetimeMs }) =>
      attempts.run((signal) =>
        writing((database) => takeLease(database, { id: digest(key), holder, lifetimeMs }, words), signal),
      ),
    release: (key, holder) =>
      change((database) =>
        database
          .deleteFrom('mcpgw_shared_lease_1')
          .where('id', '=', digest(key))
          .where('holder', '=', digest(holder))
          .execute(),
      ),
    stop: () => {
      closed ??= (async () => {
        attempts.close();
        stopSweeping();
        await parts.close();
      })();
      return closed;
    },
  };
};
