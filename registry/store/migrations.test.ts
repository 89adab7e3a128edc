// Databases of former releases, opened by this one: nothing that was stored is lost, moved or renumbered.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ok } from '#core/result.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { restoreRevision } from '#registry/revisions/restore.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import type { Store } from '#registry/store/store.ts';
import { TEST_AUDIT } from '#test/support/audit-secrets.ts';
import {
  type OldCommit,
  withoutPublishers,
  withoutSwitches,
  writeOldDatabase,
} from '#test/support/first-schema.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { writeOf } from '#test/support/store-contract.ts';

const first = sampleTenant('acme');
const tracker = first.servers[0] as McpServer;
const version = tracker.versions[0] as McpServer['versions'][number];
const second: Tenant = {
  ...first,
  displayName: 'Second',
  servers: [{ ...tracker, versions: [version, { ...version, version: '1.1.0' }] }],
};
const third: Tenant = { ...second, grants: [] };
const beta = sampleTenant('beta');

const history = (write: (tenant: Tenant) => object): readonly OldCommit[] => [
  { tenantId: 'acme', revision: 1, tenant: write(first) },
  { tenantId: 'beta', revision: 1, tenant: write(beta) },
  { tenantId: 'acme', revision: 2, tenant: write(second) },
  { tenantId: 'beta', revision: 2, tenant: null },
  { tenantId: 'gone', revision: 1, tenant: write(sampleTenant('gone')) },
  { tenantId: 'gone', revision: 2, tenant: null },
  { tenantId: 'beta', revision: 3, tenant: write({ ...beta, displayName: 'Again' }) },
  { tenantId: 'acme', revision: 3, tenant: write(third) },
];

let directory: string;
let path: string;
let store: Store;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'migrations-'));
  path = join(directory, 'registry.db');
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

const FORMS = [
  [1, withoutPublishers, { publishers: [], killSwitches: [] }],
  [2, withoutSwitches, { killSwitches: [] }],
] as const;

describe.each(FORMS)('a database of release %i', (release, write, completed) => {
  const read = (tenant: Tenant): Tenant => ({ ...tenant, ...completed });

  beforeEach(() => {
    writeOldDatabase(path, release, history(write));
    store = openSqliteStore(path, TEST_AUDIT);
  });

  it('is the same database: epoch, sequence, tenants, removals', async () => {
    expect(store.epoch).toBe('epoch-of-then');
    expect(await store.lastSequence()).toBe(8);
    expect((await store.findTenant('acme'))?.tenant).toEqual({ ...read(third), revision: 3 });
    expect((await store.findTenant('beta'))?.tenant.displayName).toBe('Again');
    expect(await store.findTenant('gone')).toBeUndefined();
    expect((await store.listTenants()).map(({ tenant, sequence }) => [tenant.id, sequence])).toEqual([
      ['acme', 8],
      ['beta', 7],
    ]);
  });

  it('keeps every ETag: resources have the revision in which they last changed', async () => {
    expect((await store.findTenant('acme'))?.stamps).toMatchObject({
      tenant: 2,
      'issuers/home': 1,
      'servers/tracker': 2,
      'servers/tracker/versions/1.0.0': 1,
      'servers/tracker/versions/1.1.0': 2,
    });
    expect((await store.findTenant('acme'))?.stamps).not.toHaveProperty('grants/engineering');
    expect((await store.findTenant('beta'))?.stamps['grants/engineering']).toBe(3);
  });

  it('keeps every revision as it was, and one can be gone back to', async () => {
    const listed = await store.listRevisions('acme', { limit: 10 });
    expect(listed.map(({ number, sequence, reason }) => [number, sequence, reason])).toEqual([
      [3, 8, 'commit 8'],
      [2, 3, 'commit 3'],
      [1, 1, 'commit 1'],
    ]);
    for (const [number, tenant] of [first, second, third].entries())
      expect((await store.findRevision('acme', number + 1))?.tenant).toEqual({
        ...read(tenant),
        revision: number + 1,
      });
    expect((await store.findRevision('beta', 1))?.tenant?.displayName).toBe('Sample tenant');
    expect((await store.findRevision('beta', 2))?.tenant).toBeNull();
    expect((await store.findRevision('gone', 1))?.tenant?.grants).toHaveLength(1);
    const before = await store.findTenant('acme');
    const source = await store.findRevision('acme', 1);
    if (before === undefined || source === undefined) throw new Error('both are there');
    const restored = restoreRevision(before.tenant, source, {
      checkUrl: (url) => ok(new URL(url)),
      judgeServed: () => [],
    });
    if (!restored.ok) throw new Error('nothing stands in the way');
    const written = await store.write({ ...writeOf(restored.value.tenant, 3), before });
    expect(written).toMatchObject({ ok: true, value: { revision: 4, sequence: 9 } });
    expect((await store.findTenant('acme'))?.tenant.grants).toHaveLength(1);
  });

  it('goes on counting a tenant that had been removed', async () => {
    const again = await store.write(writeOf(sampleTenant('gone'), null));
    expect(again).toMatchObject({ ok: true, value: { revision: 3, sequence: 9 } });
  });

  it('continues what consumers hold', async () => {
    const { items, upTo } = await store.readAfter(3, 10, 3);
    expect(upTo).toBe(8);
    expect(items.map(({ sequence }) => sequence)).toEqual([6, 7, 8]);
    expect(items[0]).toMatchObject({ change: { kind: 'remove', tenantId: 'gone' } });
  });

  it('has what it served approved', async () => {
    const { servers } = await store.findApprovals('acme');
    const { decisions, pins } = servers.get('tracker') ?? {};
    expect(decisions).toMatchObject([{ version: '1.0.0', verdict: 'approved', actor: 'registry' }]);
    expect(pins?.tools.get('create_issue')?.tool).toEqual(version.tools[0]);
    expect((await store.findApprovals('gone')).servers.size).toBe(0);
  });

  it('keeps its audit records and their actors, and goes on in a chain that binds their end', async () => {
    expect(await store.findAuditFault()).toBeUndefined();
    expect(await store.listAudit('acme', { limit: 10 })).toHaveLength(3);
    await store.write(writeOf(sampleTenant('new'), null));
    const before = await store.findTenant('acme');
    if (before === undefined) throw new Error('it is there');
    const tenant = { ...before.tenant, displayName: 'Fourth' };
    await store.write({ ...writeOf(tenant, 3), before });
    const records = await store.listAudit('acme', { limit: 10 });
    expect(records.map(({ number }) => number)).toEqual([11, 8, 3, 1]);
    expect(await store.listAudit('acme', { limit: 2, before: 11 })).toEqual(records.slice(1, 3));
    expect((await store.listRevisions('acme', { limit: 4 })).map(({ actor }) => actor)).not.toContain('');
    expect(await store.findAuditFault()).toBeUndefined();
  });

  it.each([
    ["UPDATE audit SET reason = 'other' WHERE sequence = 2", 'integrity FAULT edited at 2'],
    ['DELETE FROM audit WHERE sequence = 8', 'completeness FAULT tail_missing at 8'],
    ['DELETE FROM audit', 'completeness FAULT tail_missing at 1'],
  ])('shows what is done to the records from before: %s', async (statement, fault) => {
    await store.write(writeOf(sampleTenant('new'), null));
    const database = new DatabaseSync(path);
    database.exec(statement);
    database.close();
    expect(await store.findAuditFault()).toContain(fault);
  });

  it('leaves nothing of the former tables behind', () => {
    const database = new DatabaseSync(path);
    const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    database.close();
    for (const name of ['whole_tenants', 'whole_revisions', 'tombstones'])
      expect(names.map((row) => row['name'])).not.toContain(name);
  });
});

it('learns from its revisions which versions there were before it knew manifests', async () => {
  writeOldDatabase(path, 1, [...history(withoutPublishers), { tenantId: 'acme', revision: 4, tenant: null }]);
  store = openSqliteStore(path, TEST_AUDIT);
  const published = await store.findPublished('acme', { serverId: 'tracker', version: '1.0.0' });
  expect(published.versions).toEqual(['1.0.0', '1.1.0']);
});

it('keeps manifests, byte for byte', async () => {
  writeOldDatabase(
    path,
    2,
    history((tenant) => tenant),
  );
  store = openSqliteStore(path, TEST_AUDIT);
  const found = await store.findManifest('acme', 'd1');
  expect(found).toMatchObject({ number: 7, signature: 's1', kid: 'k1' });
  expect(Buffer.from(found?.bytes ?? []).toString()).toBe('bytes');
});
