// The contract on SQLite, and what is asked of its file.

import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deriveAuditKey } from '#core/audit/audit-key.ts';
import { adoptServing } from '#registry/store/adopt-serving.ts';
import { moveRows } from '#registry/store/sqlite-migrate.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import { describeAdoption, describeApprovals } from '#test/support/approval-contract.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import { describeBundles } from '#test/support/bundle-contract.ts';
import { describeCallApprovals } from '#test/support/call-approval-contract.ts';
import { describeDrift } from '#test/support/drift-contract.ts';
import { describeKeys } from '#test/support/key-contract.ts';
import { describeRevocations, MARK } from '#test/support/revocation-contract.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { describeSignals } from '#test/support/signal-contract.ts';
import { describeStore, writeOf } from '#test/support/store-contract.ts';

const create = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-'));
  const path = join(directory, 'a', 'registry.db');
  return {
    path,
    open: async () => openSqliteStore(path, TEST_AUDIT),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
};

describeStore('sqlite', create);
describeKeys('sqlite', create);
describeBundles('sqlite', create);
describeApprovals('sqlite', create);
describeCallApprovals('sqlite', create);
describeRevocations('sqlite', create);
describeDrift('sqlite', create);
describeSignals('sqlite', create);
describeAdoption('sqlite', async () => {
  const under = await create();
  return {
    ...under,
    forget: async (statements) => {
      const database = new DatabaseSync(under.path);
      for (const statement of statements) database.exec(statement);
      moveRows(database, adoptServing);
      database.close();
    },
  };
});

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'store-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the SQLite file', () => {
  const path = () => join(directory, 'registry.db');

  it('and its directory belong to their owner only', async () => {
    const store = openSqliteStore(join(directory, 'b', 'registry.db'), TEST_AUDIT);
    expect((await stat(join(directory, 'b'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'b', 'registry.db'))).mode & 0o777).toBe(0o600);
    await store.close();
  });

  it('is refused if a newer program wrote it', async () => {
    await openSqliteStore(path(), TEST_AUDIT).close();
    const database = new DatabaseSync(path());
    database.exec('PRAGMA user_version = 999');
    database.close();
    expect(() => openSqliteStore(path(), TEST_AUDIT)).toThrow(
      expect.objectContaining({ code: 'store_failed' }),
    );
  });

  it('is refused if it is no database', async () => {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(path(), 'this is not a database, and long enough to be seen as one'.repeat(40));
    expect(() => openSqliteStore(path(), TEST_AUDIT)).toThrow(
      expect.objectContaining({ code: 'store_failed' }),
    );
  });

  it.each([
    [
      'altered',
      "UPDATE audit_records SET line = replace(line, 'because', 'for fun') WHERE number = 2",
      'edited at 2',
    ],
    ['taken out', 'DELETE FROM audit_records WHERE number = 2', 'gap at 2'],
    ['cut off', 'DELETE FROM audit_records WHERE number > 2', 'tail_missing at 3 by its head'],
    ['hidden from a search', "UPDATE audit_records SET tenant = 'other' WHERE number = 3", 'edited at 3'],
  ])('shows an audit record that was %s', async (_name, statement, fault) => {
    const store = openSqliteStore(path(), TEST_AUDIT);
    for (const id of ['a', 'b', 'c']) await store.write(writeOf(sampleTenant(id), null));
    expect(await store.findAuditFault()).toBeUndefined();
    const database = new DatabaseSync(path());
    database.exec(statement);
    database.close();
    expect(await store.findAuditFault()).toContain(`FAULT ${fault}`);
    await store.close();
  });

  it('is refused with another audit key than it was written with', async () => {
    const store = openSqliteStore(path(), TEST_AUDIT);
    await store.write(writeOf(sampleTenant('a'), null));
    await store.close();
    const other = deriveAuditKey(Buffer.alloc(32, 8));
    const secrets = { ...TEST_AUDIT, keys: { current: other, all: [other] } };
    expect(() => openSqliteStore(path(), secrets)).toThrow(/^AUDIT_KEY_FILE: /);
  });

  it('holds no actor of a change in clear', async () => {
    const store = openSqliteStore(path(), TEST_AUDIT);
    const write = writeOf({ ...sampleTenant('a'), servers: [], grants: [], publishers: [] }, null);
    await store.write({ ...write, record: { ...write.record, actor: 'grace-of-accounting' } });
    expect((await store.listRevisions('a', { limit: 1 }))[0]?.actor).toBe('grace-of-accounting');
    await store.close();
    expect((await readFile(path())).includes('grace-of-accounting')).toBe(false);
  });
});

describe('whom a revocation is about', () => {
  it('stands in the audit only sealed, is shown while its key is there, and can be erased', async () => {
    const path = join(directory, 'registry.db');
    const store = openSqliteStore(path, TEST_AUDIT);
    const record = { actor: 'ada', action: 'revoke subject', reason: 'laptop stolen', at: MARK.at };
    await store.recordRevocation({ revocation: MARK, record, nowSeconds: 0 });
    const targets = async () => (await store.listAudit('acme', { limit: 10 })).map(({ target }) => target);
    expect(await targets()).toEqual(['["subject","corporate","mallory@example.com"]']);
    const file = new DatabaseSync(path);
    const lines = JSON.stringify(file.prepare('SELECT * FROM audit_records').all());
    expect(lines).toContain('revoke subject');
    expect(lines).not.toContain('mallory');
    file.exec('DELETE FROM audit_subjects');
    file.close();
    expect(await targets()).toEqual(['erased']);
    expect(await store.findAuditFault()).toBeUndefined();
    await store.close();
  });
});
