// The contract on SQLite, and what is asked of its file.

import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adoptServing } from '#registry/store/adopt-serving.ts';
import { moveRows } from '#registry/store/sqlite-migrate.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import { describeAdoption, describeApprovals } from '#test/support/approval-contract.ts';
import { describeKeys } from '#test/support/key-contract.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { describeStore, writeOf } from '#test/support/store-contract.ts';

const create = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-'));
  const path = join(directory, 'a', 'registry.db');
  return {
    path,
    open: async () => openSqliteStore(path),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
};

describeStore('sqlite', create);
describeKeys('sqlite', create);
describeApprovals('sqlite', create);
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
    const store = openSqliteStore(join(directory, 'b', 'registry.db'));
    expect((await stat(join(directory, 'b'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'b', 'registry.db'))).mode & 0o777).toBe(0o600);
    await store.close();
  });

  it('is refused if a newer program wrote it', async () => {
    await openSqliteStore(path()).close();
    const database = new DatabaseSync(path());
    database.exec('PRAGMA user_version = 999');
    database.close();
    expect(() => openSqliteStore(path())).toThrow(expect.objectContaining({ code: 'store_failed' }));
  });

  it('is refused if it is no database', async () => {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(path(), 'this is not a database, and long enough to be seen as one'.repeat(40));
    expect(() => openSqliteStore(path())).toThrow(expect.objectContaining({ code: 'store_failed' }));
  });

  it.each([
    ['altered', "UPDATE audit SET actor = 'someone else' WHERE sequence = 2", 2],
    ['taken out', 'DELETE FROM audit WHERE sequence = 2', 3],
    ['swapped', 'UPDATE audit SET sequence = 9 WHERE sequence = 1', 2],
  ])('shows an audit record that was %s', async (_name, statement, fault) => {
    const store = openSqliteStore(path());
    for (const id of ['a', 'b', 'c']) await store.write(writeOf(sampleTenant(id), null));
    const database = new DatabaseSync(path());
    database.exec(statement);
    database.close();
    expect(await store.findAuditFault()).toBe(fault);
    await store.close();
  });
});
