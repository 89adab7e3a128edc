// The contract of a store on a real Postgres, and what is asked of its connections.

import { Kysely, PostgresDialect, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Secret } from '#core/secret.ts';
import { adoptServing } from '#registry/store/adopt-serving.ts';
import { createPool } from '#registry/store/postgres-database.ts';
import { moveRows } from '#registry/store/postgres-migrate.ts';
import { openPostgresStore } from '#registry/store/postgres-store.ts';
import type { Tables } from '#registry/store/tables.ts';
import { inTransaction } from '#registry/store/transaction.ts';
import { describeAdoption, describeApprovals } from '#test/support/approval-contract.ts';
import { describeKeys } from '#test/support/key-contract.ts';
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts';
import { describeStore } from '#test/support/store-contract.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(() => server.stop());

const create = async () => {
  const { url } = await server.createDatabase();
  return { open: () => openPostgresStore(url), remove: async () => undefined };
};

describeStore('postgres', create);
describeKeys('postgres', create);
describeApprovals('postgres', create);

describeAdoption('postgres', async () => {
  const { url } = await server.createDatabase();
  return {
    open: () => openPostgresStore(url),
    remove: async () => undefined,
    forget: async (statements) => {
      const database = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: createPool(url) }) });
      for (const statement of statements) await sql.raw(statement).execute(database);
      await inTransaction(database, (transaction) => moveRows(transaction, adoptServing));
      await database.destroy();
    },
  };
});

it('does not start on a database that a newer program wrote', async () => {
  const database = await server.createDatabase();
  await (await openPostgresStore(database.url)).close();
  await server.query(database, "UPDATE meta SET value = '999' WHERE key = 'schema'");
  await expect(openPostgresStore(database.url)).rejects.toMatchObject({ code: 'store_failed' });
});

it('says that it cannot be reached without a word of its address', async () => {
  const url = new Secret('postgres://someone:hunter2@127.0.0.1:1/registry');
  const failure = await openPostgresStore(url).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: 'store_failed' });
  expect(String(failure)).not.toMatch(/hunter2|someone/);
});

it('lets many registries that start at once make the tables once', async () => {
  const { url } = await server.createDatabase();
  const stores = await Promise.all(Array.from({ length: 5 }, () => openPostgresStore(url)));
  expect(new Set(stores.map(({ epoch }) => epoch)).size).toBe(1);
  for (const store of stores) await store.close();
});
