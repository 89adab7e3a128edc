// The store in Postgres: for several registries over one database.

import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect } from 'kysely';
import type { Secret } from '#core/secret.ts';
import { createClient, createPool } from '#registry/store/postgres-database.ts';
import { listenForCommits, notifyCommit } from '#registry/store/postgres-listen.ts';
import { migratePostgres } from '#registry/store/postgres-migrate.ts';
import { createSqlStore } from '#registry/store/sql-store.ts';
import type { Store } from '#registry/store/store.ts';
import type { Database, Tables } from '#registry/store/tables.ts';
import { guardStore } from '#registry/store/transaction.ts';

const metaValue = async (database: Database, key: string): Promise<string> => {
  const { value } = await database
    .selectFrom('meta')
    .select('value')
    .where('key', '=', key)
    .executeTakeFirstOrThrow();
  return value;
};

const openOver = async (database: Kysely<Tables>, url: Secret): Promise<Store> => {
  await migratePostgres(database, randomUUID());
  let stopListening = async (): Promise<void> => undefined;
  return createSqlStore({
    database,
    epoch: await metaValue(database, 'epoch'),
    sequence: Number(await metaValue(database, 'sequence')),
    announceCommit: notifyCommit,
    listen: (look) => {
      stopListening = listenForCommits(() => createClient(url), look);
    },
    close: async () => {
      await stopListening();
      await database.destroy();
    },
  });
};

/**
 * Opens the store in the database that `url` (`postgres://…`) names, creating its tables where needed.
 * @throws GatewayError `store_failed` if it cannot be reached or was written by a newer program.
 */
export const openPostgresStore = (url: Secret): Promise<Store> =>
  guardStore(async () => {
    const database = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createPool(url) }) });
    try {
      return await openOver(database, url);
    } catch (thrown) {
      await database.destroy();
      throw thrown;
    }
  });
