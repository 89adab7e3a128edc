// The contract of a store on a real Postgres, and what is asked of its connections.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Secret } from '#core/secret.ts';
import { adoptServing } from '#registry/store/adopt-serving.ts';
import { createRegistryPool } from '#registry/store/postgres-database.ts';
import { moveRows } from '#registry/store/postgres-migrate.ts';
import { openPostgresStore } from '#registry/store/postgres-store.ts';
import type { Tables } from '#registry/store/tables.ts';
import { inTransaction } from '#registry/store/transaction.ts';
import { describeAdoption, describeApprovals } from '#test/support/approval-contract.ts';
import { runAuditCommand } from '#test/support/audit-command.ts';
import { auditSecretsIn, TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { describeBundles } from '#test/support/bundle-contract.ts';
import { describeCallApprovals } from '#test/support/call-approval-contract.ts';
import { describeDrift } from '#test/support/drift-contract.ts';
import { describeKeys } from '#test/support/key-contract.ts';
import { type PostgresServer, startPostgres } from '#test/support/postgres-server.ts';
import { describeRevocations } from '#test/support/revocation-contract.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { describeSignals } from '#test/support/signal-contract.ts';
import { describeStore, writeOf } from '#test/support/store-contract.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(() => server.stop());

const create = async () => {
  const { url } = await server.createDatabase();
  return { open: () => openPostgresStore(url, TEST_AUDIT), remove: async () => undefined };
};

describeStore('postgres', create);
describeKeys('postgres', create);
describeBundles('postgres', create);
describeApprovals('postgres', create);
describeCallApprovals('postgres', create);
describeRevocations('postgres', create);
describeDrift('postgres', create);
describeSignals('postgres', create);

describeAdoption('postgres', async () => {
  const { url } = await server.createDatabase();
  return {
    open: () => openPostgresStore(url, TEST_AUDIT),
    remove: async () => undefined,
    forget: async (statements) => {
      const database = new Kysely<Tables>({
        dialect: new PostgresDialect({ pool: createRegistryPool(url) }),
      });
      for (const statement of statements) await sql.raw(statement).execute(database);
      await inTransaction(database, (transaction) => moveRows(transaction, adoptServing));
      await database.destroy();
    },
  };
});

it('does not start on a database that a newer program wrote', async () => {
  const database = await server.createDatabase();
  await (await openPostgresStore(database.url, TEST_AUDIT)).close();
  await server.query(database, "UPDATE meta SET value = '999' WHERE key = 'schema'");
  await expect(openPostgresStore(database.url, TEST_AUDIT)).rejects.toMatchObject({ code: 'store_failed' });
});

it('says that it cannot be reached without a word of its address', async () => {
  const url = new Secret('postgres://someone:hunter2@127.0.0.1:1/registry');
  const failure = await openPostgresStore(url, TEST_AUDIT).catch((thrown: unknown) => thrown);
  expect(failure).toMatchObject({ code: 'store_failed' });
  expect(String(failure)).not.toMatch(/hunter2|someone/);
});

it('lets many registries that start at once make the tables once', async () => {
  const { url } = await server.createDatabase();
  const stores = await Promise.all(Array.from({ length: 5 }, () => openPostgresStore(url, TEST_AUDIT)));
  expect(new Set(stores.map(({ epoch }) => epoch)).size).toBe(1);
  for (const store of stores) await store.close();
});

it('has one audit chain without a gap, whichever registry appends, and the command verifies it there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mcpgw-'));
  const environment = { MCPGW_STATE_DIR: directory };
  const secrets = auditSecretsIn(directory);
  const database = await server.createDatabase();
  const stores = await Promise.all([1, 2, 3].map(() => openPostgresStore(database.url, secrets)));
  const refusal = (count: number) => ({
    actor: 'ada',
    tenantId: 'acme',
    action: 'PUT /v1/tenants/:tenant',
    at: '2026-01-01T00:00:00.000Z',
    status: 403,
    code: 'forbidden',
    count,
  });
  await Promise.all(
    stores.flatMap((store, index) => [
      ...Array.from({ length: 10 }, (_, count) => store.recordRefusal(refusal(count))),
      store.write(writeOf(sampleTenant(`tenant-${index}`), null)),
      store.signAudit('2026-01-01T00:00:00.000Z'),
    ]),
  );
  for (const store of stores) await store.close();
  const found = { ...environment, POSTGRES_URL: database.url.reveal() };
  expect(runAuditCommand(found, 'verify')).toMatchObject({
    status: 0,
    output: expect.stringContaining('34 records 1-34'),
  });
  await server.query(database, 'DELETE FROM audit_records WHERE number = 20');
  expect(runAuditCommand(found, 'verify').output).toContain('completeness FAULT gap at 20');
  expect(runAuditCommand(found, 'erase', '--subject', 'ada').output).toBe('1 keys erased');
  rmSync(directory, { recursive: true });
});
