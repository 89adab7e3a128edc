// The contract every store keeps, whatever database is behind it. Each test gets a database of its own.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FeedEvent } from '#core/feed-message.ts';
import type { Tenant } from '#core/tenant.ts';
import type { FeedItem } from '#registry/feed/feed-source.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import type { Committed, Publication, Store, StoredTenant, TenantWrite } from '#registry/store/store.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

export const record = (action = 'put tenant', at = '2026-01-01T00:00:00.000Z'): ChangeRecord => ({
  actor: 'ada',
  action,
  reason: 'because',
  at,
});

/** The tenant as it stood at a revision; null for one that must not exist. */
const at = (tenant: Tenant, revision: number | null): StoredTenant | undefined =>
  revision === null ? undefined : { tenant: { ...tenant, revision }, sequence: 0, stamps: {} };

export const writeOf = (tenant: Tenant, expectedRevision: number | null): TenantWrite => ({
  tenantId: tenant.id,
  before: at(tenant, expectedRevision),
  tenant,
  changes: ['tenant: created'],
  record: record(),
});

export const removal = (tenantId: string, expectedRevision: number): TenantWrite => ({
  tenantId,
  before: at(sampleTenant(tenantId), expectedRevision),
  tenant: null,
  changes: ['tenant: removed'],
  record: record('remove tenant'),
});

export const event = (id: string, at = '2026-01-01T00:00:00.000Z'): FeedEvent => ({
  kind: 'terminate-streams',
  id,
  tenantId: 'acme',
  reason: 'because',
  actor: 'ada',
  at,
});

const tenantIn = (item: FeedItem): string =>
  item.kind === 'change' && item.change.kind === 'upsert' ? item.change.tenant.id : '';

/** A database for one test, and as many stores over it as the test opens. */
export type StoreUnderTest = { open(): Promise<Store>; remove(): Promise<void> };

const describeTenants = (name: string, create: () => Promise<StoreUnderTest>) =>
  describe(`the ${name} store`, () => {
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      under = await create();
      store = await under.open();
    });

    afterEach(async () => {
      await store.close();
      await under.remove();
    });

    const commit = async (write: TenantWrite): Promise<Committed> => {
      const result = await store.write(write);
      if (!result.ok) throw new Error(result.error);
      return result.value;
    };

    const put = (id: string, expectedRevision: number | null, changes: Partial<Tenant> = {}) =>
      commit(writeOf({ ...sampleTenant(id), ...changes }, expectedRevision));

    it('gives a host name to one tenant only, and again once it was given back', async () => {
      const hosts = { names: ['mcp.example.com'] };
      const [acme, beta] = [sampleTenant('acme'), sampleTenant('beta')];
      expect((await store.write(writeOf({ ...acme, hosts }, null))).ok).toBe(true);
      expect(await store.findHostHolders(['mcp.example.com', 'other.example.com'])).toEqual(
        new Map([['mcp.example.com', 'acme']]),
      );
      expect(await store.write(writeOf({ ...beta, hosts }, null))).toEqual({ ok: false, error: 'stale' });
      expect(await store.findTenant('beta')).toBeUndefined();
      expect((await store.write(removal('acme', 1))).ok).toBe(true);
      expect((await store.write(writeOf({ ...beta, hosts }, null))).ok).toBe(true);
    });

    it('counts revisions per tenant and the sequence over all', async () => {
      expect(await put('acme', null)).toMatchObject({ revision: 1, sequence: 1 });
      expect(await put('beta', null)).toMatchObject({ revision: 1, sequence: 2 });
      expect(await put('acme', 1)).toMatchObject({ revision: 2, sequence: 3 });
      expect(await store.lastSequence()).toBe(3);
      expect((await store.listTenants()).map(({ tenant }) => [tenant.id, tenant.revision])).toEqual([
        ['acme', 2],
        ['beta', 1],
      ]);
    });

    it('gives back what was written', async () => {
      await put('acme', null);
      expect((await store.findTenant('acme'))?.tenant).toEqual(sampleTenant('acme', 1));
      expect(await store.findTenant('nobody')).toBeUndefined();
    });

    it('refuses a write that was made from another revision, and leaves nothing of it', async () => {
      await put('acme', null);
      for (const expected of [null, 0, 2]) {
        expect(await store.write(writeOf(sampleTenant('acme'), expected))).toEqual({
          ok: false,
          error: 'stale',
        });
      }
      expect(await store.write(removal('nobody', 1))).toEqual({ ok: false, error: 'stale' });
      expect(await store.lastSequence()).toBe(1);
      expect(await store.listRevisions('acme', { limit: 10 })).toHaveLength(1);
      expect(await store.listAudit('acme', { limit: 10 })).toHaveLength(1);
    });

    it('lets one of many racing writes win', async () => {
      await put('acme', null);
      const results = await Promise.all(
        Array.from({ length: 20 }, () => store.write(writeOf(sampleTenant('acme'), 1))),
      );
      expect(results.filter((result) => result.ok)).toHaveLength(1);
      expect((await store.findTenant('acme'))?.tenant.revision).toBe(2);
    });

    it('stamps exactly the resources that changed', async () => {
      await put('acme', null);
      const [server] = sampleTenant('acme').servers;
      if (server === undefined) throw new Error('sample has a server');
      const before = await store.findTenant('acme');
      const servers = [{ ...server, enabled: false }];
      const after = await commit({ ...writeOf({ ...sampleTenant('acme'), servers }, 1), before });
      expect(after.stored?.stamps).toEqual({
        tenant: 1,
        'issuers/home': 1,
        'servers/tracker': 2,
        'servers/tracker/versions/1.0.0': 1,
        'grants/engineering': 1,
        'publishers/tracker-team': 1,
        'kill-switches/leaked-token': 1,
      });
    });

    it('goes on counting when a tenant is removed and made again, so old ETags stay false', async () => {
      await put('acme', null);
      await put('acme', 1);
      expect(await commit(removal('acme', 2))).toEqual({ revision: 3, sequence: 3 });
      expect(await store.findTenant('acme')).toBeUndefined();
      const again = await put('acme', null);
      expect(again.stored?.tenant.revision).toBe(4);
      expect(again.stored?.stamps['grants/engineering']).toBe(4);
    });

    it('keeps every revision whole, newest first, page by page', async () => {
      await put('acme', null);
      await put('acme', 1, { displayName: 'Second' });
      await commit(removal('acme', 2));
      const page = await store.listRevisions('acme', { limit: 2 });
      expect(page.map(({ number }) => number)).toEqual([3, 2]);
      expect(page[0]).toMatchObject({ actor: 'ada', reason: 'because', changes: ['tenant: removed'] });
      expect(
        (await store.listRevisions('acme', { limit: 2, before: 2 })).map(({ number }) => number),
      ).toEqual([1]);
      expect((await store.findRevision('acme', 2))?.tenant?.displayName).toBe('Second');
      expect((await store.findRevision('acme', 3))?.tenant).toBeNull();
      expect(await store.findRevision('acme', 9)).toBeUndefined();
    });

    it('writes one audit record a commit, chained over all tenants', async () => {
      await put('acme', null);
      await put('beta', null);
      await store.announce(event('e1'), record('terminate streams'));
      const records = await store.listAudit('acme', { limit: 10 });
      expect(records.map(({ action }) => action)).toEqual(['terminate streams', 'put tenant']);
      expect(await store.listAudit('acme', { limit: 10, before: 3 })).toHaveLength(1);
      expect(await store.findAuditFault()).toBeUndefined();
    });

    it('feeds what changed after a sequence: newest states, removals and events, in order', async () => {
      await put('acme', null);
      await put('beta', null);
      await put('acme', 1);
      await store.announce(event('e1'), record());
      await commit(removal('beta', 1));
      const all = await store.readAfter(0, 10, 0);
      expect(all).toMatchObject({ upTo: 5, more: false });
      expect(all.items.map(({ kind, sequence }) => [kind, sequence])).toEqual([
        ['change', 3],
        ['event', 4],
        ['change', 5],
      ]);
      expect(all.items[2]).toMatchObject({ change: { kind: 'remove', tenantId: 'beta' } });
      expect(await store.readAfter(5, 10, 5)).toEqual({ items: [], upTo: 5, more: false });
    });

    it('feeds of a tenant that is known what has changed since, and nothing else', async () => {
      await put('acme', null);
      const before = await store.findTenant('acme');
      const [grant] = sampleTenant('acme').grants;
      if (grant === undefined) throw new Error('the sample has one');
      const grants = [{ ...grant, id: 'second' }];
      await commit({ ...writeOf({ ...sampleTenant('acme'), grants }, 1), before });
      await commit(writeOf({ ...sampleTenant('acme'), grants, displayName: 'Third' }, 2));
      expect((await store.readAfter(1, 10, 1)).items).toEqual([
        {
          kind: 'change',
          sequence: 3,
          change: {
            kind: 'patch',
            sequence: 3,
            tenantId: 'acme',
            revision: 3,
            resources: [
              { name: 'grants/engineering', body: null },
              { name: 'grants/second', body: grants[0] },
              { name: 'tenant', body: expect.objectContaining({ displayName: 'Third' }) },
            ],
          },
        },
      ]);
      expect((await store.readAfter(2, 10, 2)).items).toMatchObject([
        { change: { kind: 'patch', resources: [{ name: 'tenant' }] } },
      ]);
    });

    it('feeds a tenant whole to who cannot have this life of it', async () => {
      await put('acme', null);
      await commit(removal('acme', 1));
      await put('acme', null, { grants: [] });
      for (const known of [0, 1, 2])
        expect((await store.readAfter(known, 10, known)).items).toMatchObject([
          { change: { kind: 'upsert', tenant: { revision: 3, grants: [] } } },
        ]);
    });

    it('leaves out nothing of a tenant that changes while somebody catches up in batches', async () => {
      for (const id of ['acme', 'beta', 'ceta']) await put(id, null);
      await put('acme', 1, { displayName: 'missed' });
      await put('beta', 1, { displayName: 'missed' });
      const first = await store.readAfter(3, 1, 3);
      expect(first).toMatchObject({ upTo: 4, more: true });
      await put('beta', 2, { displayName: 'missed', accessContact: 'also' });
      const second = await store.readAfter(first.upTo, 1, 3);
      expect(second.items).toMatchObject([{ change: { tenantId: 'beta', resources: [{ name: 'tenant' }] } }]);
      await put('ceta', 1, { grants: [] });
      await put('ceta', 2, { grants: [], displayName: 'last' });
      const third = await store.readAfter(second.upTo, 1, 3);
      expect(third.items).toMatchObject([
        {
          change: {
            tenantId: 'ceta',
            resources: [{ name: 'grants/engineering', body: null }, { name: 'tenant' }],
          },
        },
      ]);
    });

    it('gives what did not change as the same objects, also after another registry wrote', async () => {
      const other = await under.open();
      await put('acme', null);
      const before = await store.findTenant('acme');
      const theirs = await other.findTenant('acme');
      if (theirs === undefined) throw new Error('it is there');
      const changed = { ...theirs.tenant, grants: [] };
      expect((await other.write({ ...writeOf(changed, 1), before: theirs })).ok).toBe(true);
      const after = await store.findTenant('acme');
      expect(after?.tenant).toMatchObject({ revision: 2, grants: [] });
      expect(after?.tenant.servers).toBe(before?.tenant.servers);
      expect((await store.findTenant('acme'))?.tenant).toBe(after?.tenant);
      await other.close();
    });

    it('feeds in batches without a gap', async () => {
      for (let n = 0; n < 7; n += 1) await put(`tenant-${n}`, null);
      const seen: number[] = [];
      let from = 0;
      for (let more = true; more; ) {
        const batch = await store.readAfter(from, 3, 0);
        seen.push(...batch.items.map(({ sequence }) => sequence));
        from = batch.upTo;
        more = batch.more;
      }
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
      expect(from).toBe(7);
    });

    it('feeds large tenants a few at a time, none left out', async () => {
      const large = { accessContact: 'x'.repeat(5_000_000) };
      for (const id of ['a', 'b', 'c', 'd', 'e']) await put(id, null, large);
      const sizes: number[] = [];
      const seen: string[] = [];
      for (let from = 0, more = true; more; ) {
        const batch = await store.readAfter(from, 32, 0);
        sizes.push(batch.items.length);
        seen.push(...batch.items.map(tenantIn));
        ({ upTo: from, more } = batch);
      }
      expect(sizes).toEqual([2, 2, 1]);
      expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
    });

    it('forgets events that nobody can still need', async () => {
      await store.announce(event('old', '2026-01-01T00:00:00.000Z'), record());
      await store.announce(event('new', '2026-01-01T02:00:00.000Z'), record());
      const { items } = await store.readAfter(0, 10, 0);
      expect(items.map((item) => item.kind === 'event' && item.event.id)).toEqual(['new']);
    });

    it('nudges listeners after a commit, until they leave', async () => {
      let nudges = 0;
      const leave = store.onCommit(() => {
        nudges += 1;
      });
      await put('acme', null);
      await store.announce(event('e1'), record());
      leave();
      await put('acme', 1);
      expect(nudges).toBe(2);
    });

    it('is the same database, with the same epoch, when it is opened again', async () => {
      await put('acme', null);
      const { epoch } = store;
      await store.close();
      store = await under.open();
      expect(store.epoch).toBe(epoch);
      expect((await store.findTenant('acme'))?.tenant.revision).toBe(1);
    });

    it('shares a database with another process: both see every commit, neither overwrites', async () => {
      const other = await under.open();
      await put('acme', null);
      expect((await other.write(writeOf(sampleTenant('acme'), null))).ok).toBe(false);
      expect((await other.write(writeOf(sampleTenant('acme'), 1))).ok).toBe(true);
      expect((await store.findTenant('acme'))?.tenant.revision).toBe(2);
      await other.close();
    });
  });

const describeManifests = (name: string, create: () => Promise<StoreUnderTest>) =>
  describe(`manifests in the ${name} store`, () => {
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      under = await create();
      store = await under.open();
    });

    afterEach(async () => {
      await store.close();
      await under.remove();
    });

    const NOW = Date.parse(record().at) / 1_000;
    const id = (jti: string, thumbprint = 'key', forgetAt = NOW + 600) => ({ jti, thumbprint, forgetAt });

    const publication = (version: string, jti: string): Publication => ({
      serverId: 'tracker',
      version,
      digest: `digest of ${version}`,
      publisherId: 'team',
      kid: 'team-1',
      at: record().at,
      bytes: Buffer.from(`bytes of ${version}`),
      signature: `signature of ${version}`,
      id: id(jti),
    });

    const publish = async (revision: number | null, version: string, jti: string) =>
      store.write({
        ...writeOf({ ...sampleTenant('acme'), displayName: version }, revision),
        publication: publication(version, jti),
      });

    it('are kept whole, listed newest first, and found by digest', async () => {
      await publish(null, '1.0.0', 'a');
      await publish(1, '1.1.0', 'b');
      const listed = await store.listManifests('acme', { limit: 10 });
      expect(listed.map(({ version }) => version)).toEqual(['1.1.0', '1.0.0']);
      const second = await store.listManifests('acme', { before: listed[0]?.number ?? 0, limit: 10 });
      expect(second).toEqual(listed.slice(1));
      const { id: _id, bytes, ...kept } = publication('1.1.0', 'b');
      const found = await store.findManifest('acme', 'digest of 1.1.0');
      expect(found).toMatchObject(kept);
      expect(Buffer.from(found?.bytes ?? [])).toEqual(bytes);
      expect(await store.findManifest('beta', 'digest of 1.1.0')).toBeUndefined();
      expect(await store.listManifests('beta', { limit: 10 })).toEqual([]);
    });

    it('are written with their change or not at all', async () => {
      expect(await publish(null, '1.0.0', 'a')).toMatchObject({ ok: true });
      expect(await publish(1, '1.1.0', 'a')).toEqual({ ok: false, error: 'stale' });
      expect(await publish(7, '1.1.0', 'b')).toEqual({ ok: false, error: 'stale' });
      expect((await store.findTenant('acme'))?.tenant).toMatchObject({ revision: 1, displayName: '1.0.0' });
      expect(await store.listManifests('acme', { limit: 10 })).toHaveLength(1);
      expect(await store.isSpent(id('b'))).toBe(false);
    });

    it('use up the id of their signature, for this key and until it has expired', async () => {
      await publish(null, '1.0.0', 'a');
      expect(await store.isSpent(id('a'))).toBe(true);
      expect(await store.isSpent(id('a', 'another key'))).toBe(false);
      expect(await store.spend(id('a'), NOW)).toBe(false);
      expect(await store.spend(id('b'), NOW)).toBe(true);
      expect(await store.spend(id('c', 'key', NOW + 9_000), NOW + 601)).toBe(true);
      expect(await store.isSpent(id('a'))).toBe(false);
    });

    it('are held against every version there has ever been', async () => {
      const [server] = sampleTenant('acme').servers;
      const [version] = server?.versions ?? [];
      if (server === undefined || version === undefined) throw new Error('the sample has one');
      const versions = [version, { ...version, version: '2.0.0' }];
      await put();
      await put({ servers: [{ ...server, versions }] });
      await put({ servers: [] });
      await store.write(removal('acme', 3));
      await put({ servers: [] });
      const tracker = { serverId: 'tracker', version: '2.0.0' };
      expect(await store.findPublished('acme', tracker)).toEqual({
        versions: ['1.0.0', '2.0.0'],
        digestOfVersion: undefined,
      });
      expect((await store.findPublished('acme', { ...tracker, serverId: 'reports' })).versions).toEqual([]);
      expect((await store.findPublished('beta', tracker)).versions).toEqual([]);
      await publish(5, '3.0.0', 'a');
      const published = await store.findPublished('acme', { ...tracker, version: '3.0.0' });
      expect(published.digestOfVersion).toBe('digest of 3.0.0');
    });

    /** The tenant with these changes, made from what is there. */
    const put = async (changes: Partial<Tenant> = {}) =>
      store.write({
        ...writeOf({ ...sampleTenant('acme'), ...changes }, null),
        before: await store.findTenant('acme'),
      });
  });

const describeConsumers = (name: string, create: () => Promise<StoreUnderTest>) =>
  describe(`${name}: consumers`, () => {
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      under = await create();
      store = await under.open();
    });
    afterEach(async () => {
      await store.close();
      await under.remove();
    });

    const entry = (consumer: string, sentSequence: number) => ({
      consumer,
      connected: true,
      since: '2026-01-01T00:00:00.000Z',
      sentSequence,
      status: { sequence: sentSequence },
      reportedAt: null,
    });

    it('are what each registry said last, and are forgotten after an hour', async () => {
      await store.reportConsumers({ replica: 'a', entries: [entry('xds-server', 1)], nowMs: 1_000 });
      await store.reportConsumers({ replica: 'b', entries: [entry('xds-server', 2)], nowMs: 2_000 });
      await store.reportConsumers({ replica: 'a', entries: [entry('xds-server', 3)], nowMs: 3_000 });
      expect(await store.listConsumers()).toEqual([
        { replica: 'a', seenAtMs: 3_000, entry: entry('xds-server', 3) },
        { replica: 'b', seenAtMs: 2_000, entry: entry('xds-server', 2) },
      ]);
      await store.reportConsumers({ replica: 'a', entries: [], nowMs: 3_602_500 });
      expect((await store.listConsumers()).map(({ replica }) => replica)).toEqual(['a']);
    });

    it('are said by several registries at once', async () => {
      const replicas = Array.from({ length: 8 }, (_each, at) => `replica-${at}`);
      await Promise.all(
        replicas.map((replica) =>
          store.reportConsumers({ replica, entries: [entry('ext-authz', 1)], nowMs: 1_000 }),
        ),
      );
      expect((await store.listConsumers()).map(({ replica }) => replica).toSorted()).toEqual(replicas);
    });
  });

/** Everything that is asked of a store. */
export const describeStore = (name: string, create: () => Promise<StoreUnderTest>): void => {
  describeTenants(name, create);
  describeManifests(name, create);
  describeConsumers(name, create);
};
