// The store in Postgres: for several registries over one database.

import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect } from 'kysely';
import type { Secret } from '#core/secret.ts';
import { type AuditSecrets, endOfHead, HEAD_KEY } from '#registry/store/audit-append.ts';
import { createListener, createRegistryPool } from '#registry/store/postgres-database.ts';
import { listenForCommits, notifyCommit } from '#registry/store/postgres-listen.ts';
import { migratePostgres } from '#registry/store/postgres-migrate.ts';
import { createSqlStore } from '#registry/store/sql-store.ts';
import type { Store } from '#registry/store/store.ts';
import type { Database, Tables } from '#registry/store/tables.ts';
import { guardStore } from '#registry/store/transaction.ts';
import { answeringPool } from '#runtime/sql/postgres-pool.ts';

const metaValue = async (database: Database, key: string): Promise<string> => {
  const { value } = await database
    .selectFrom('meta')
    .select('value')
    .where('key', '=', key)
    .executeTakeFirstOrThrow();
  return value;
};

const openOver = async (database: Kysely<Tables>, url: Secret, audit: AuditSecrets): Promise<Store> => {
  await migratePostgres(database, randomUUID());
  endOfHead(audit.keys, await metaValue(database, HEAD_KEY));
  let stopListening = async (): Promise<void> => undefined;
  return createSqlStore({
    database,
    audit,
    epoch: await metaValue(database, 'epoch'),
    sequence: Number(await metaValue(database, 'sequence')),
    announceCommit: notifyCommit,
    listen: (look) => {
      stopListening = listenForCommits(() => createListener(url), look);
    },
    close: async () => {
      await stopListening();
      await database.destroy();
    },
  });
};

/**
 * Opens the store in the database that `url` (`postgres://…`) names, creating its tables where needed.
 * @throws GatewayError `store_failed` if it cannot be reached or was written by a newer program, `config_invalid` if its
 * audit was written with another key.
 */
export const openPostgresStore = (url: Secret, audit: AuditSecrets): Promise<Store> =>
  guardStore(async () => {
    const database = new Kysely<Tables>({
      dialect: new PostgresDialect({ pool: answeringPool(createRegistryPool(url)) }),
    });
    try {
      return await openOver(database, url, audit);
    } catch (thrown) {
      await database.destroy();
      throw thrown;
    }
  });
