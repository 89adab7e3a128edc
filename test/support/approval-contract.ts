// What every store keeps about approvals: decisions with their pins and audit record or not at all, and what was in
// service before there were any.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findVersion, type ServerVersion } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import { type MadeDecision, makeDecision } from '#registry/approval/decide.ts';
import type { ApprovalRecords, Submission } from '#registry/approval/records.ts';
import { reviewVersions } from '#registry/approval/review.ts';
import type { Store, StoredTenant, TenantWrite } from '#registry/store/store.ts';
import { bytesOf, manifest2 } from '#test/support/manifest-world.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';
import { record, removal, type StoreUnderTest, writeOf } from '#test/support/store-contract.ts';

const AT = record().at;
const DECIDER = { actor: 'bob', reason: 'read', at: AT };
const SUBMISSION: Submission = {
  serverId: 'tracker',
  version: '1.0.0',
  actor: 'publisher:tracker-team#tracker-2026',
  at: AT,
  requests: { health: { path: '/h' } },
  signer: { publisherId: 'tracker-team', kid: 'tracker-2026' },
};

const versionIn = (tenant: Tenant): ServerVersion => {
  const server = findServer(tenant, 'tracker');
  const version = server === undefined ? undefined : findVersion(server, '1.0.0');
  if (version === undefined) throw new Error('the sample has one');
  return version;
};

const reviewOf = (tenant: Tenant, records: ApprovalRecords) => {
  const [review] = reviewVersions(tenant, records, [{ serverId: 'tracker', version: versionIn(tenant) }]);
  if (review === undefined) throw new Error('one was asked for');
  return review;
};

export const describeApprovals = (name: string, create: () => Promise<StoreUnderTest>) =>
  describe(`approvals in the ${name} store`, () => {
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

    const write = async (more: Partial<TenantWrite> = {}): Promise<StoredTenant> => {
      const before = await store.findTenant('acme');
      const written = await store.write({ ...writeOf(sampleTenant('acme'), null), before, ...more });
      if (!written.ok || written.value.stored === undefined) throw new Error('stale');
      return written.value.stored;
    };

    const make = async (verdict: 'approved' | 'rejected' | 'passed', stored: StoredTenant) => {
      const records = await store.findApprovals('acme');
      const made = makeDecision(reviewOf(stored.tenant, records), verdict, DECIDER);
      return { mark: records.mark, made: [made] as readonly MadeDecision[] };
    };

    const decide = async (verdict: 'approved' | 'rejected', stored: StoredTenant) =>
      store.decide({
        before: stored,
        decisions: await make(verdict, stored),
        record: record(`${verdict} it`),
      });

    it('are none where nothing was decided', async () => {
      await write();
      expect(await store.findApprovals('acme')).toMatchObject({ mark: 0, servers: new Map() });
      expect((await store.findApprovals('nobody')).keyRegistrations).toEqual([]);
    });

    it('give back who published, what the manifest asked for, and who brought its key', async () => {
      await write({ submission: SUBMISSION });
      await write({ submission: { ...SUBMISSION, actor: 'ada', requests: {} } });
      const records = await store.findApprovals('acme', 'tracker');
      expect(records.servers.get('tracker')?.submissions).toMatchObject([{ actor: 'ada' }, SUBMISSION]);
      expect(records.keyRegistrations).toEqual([
        { publisherId: 'tracker-team', kid: 'tracker-2026', actor: 'ada', at: AT },
      ]);
      expect((await store.findApprovals('acme', 'reports')).servers.size).toBe(0);
      expect((await store.findApprovals('beta')).servers.size).toBe(0);
    });

    it('name everybody who brought a key under one name', async () => {
      await write();
      const [team] = sampleTenant('acme').publishers;
      const [key] = team?.keys ?? [];
      if (team === undefined || key === undefined) throw new Error('the sample has one');
      const other = { ...key, jwk: { ...key.jwk, x: 'AAAA' } };
      await write({
        tenant: { ...sampleTenant('acme'), publishers: [{ ...team, keys: [other] }] },
        record: { ...record(), actor: 'eve' },
      });
      const { keyRegistrations } = await store.findApprovals('acme');
      expect(keyRegistrations.map(({ actor }) => actor)).toEqual(['ada', 'eve']);
    });

    it('pin what was approved, and what was refused or passed pins nothing', async () => {
      const stored = await write({ submission: SUBMISSION });
      await decide('rejected', stored);
      await write({ decisions: await make('passed', stored) });
      expect((await store.findApprovals('acme')).servers.get('tracker')?.pins.tools.size).toBe(0);
      const now = (await store.findTenant('acme')) as StoredTenant;
      expect((await decide('approved', now)).ok).toBe(true);
      const records = await store.findApprovals('acme', 'tracker');
      const { pins, decisions } = records.servers.get('tracker') ?? {};
      expect(decisions?.map(({ verdict }) => verdict)).toEqual(['approved', 'passed', 'rejected']);
      expect(pins?.surface).toMatchObject({ version: '1.0.0', toolNames: ['create_issue'] });
      expect(pins?.tools.get('create_issue')?.tool).toEqual(versionIn(stored.tenant).tools[0]);
      expect(reviewOf(now.tenant, records)).toMatchObject({ state: 'approved', differences: [] });
    });

    it('are audited with the sequence they took, and make no revision', async () => {
      const stored = await write({ submission: SUBMISSION });
      expect(await decide('approved', stored)).toEqual({ ok: true, value: 2 });
      expect(await store.lastSequence()).toBe(2);
      expect(await store.listAudit('acme', { limit: 1 })).toMatchObject([
        { sequence: 2, action: 'approved it', tenantId: 'acme' },
      ]);
      expect(await store.listRevisions('acme', { limit: 10 })).toHaveLength(1);
      expect(await store.findAuditFault()).toBeUndefined();
      expect((await store.readAfter(1, 10, 1)).items).toEqual([]);
    });

    it('are made from what is there, or not at all', async () => {
      const stored = await write({ submission: SUBMISSION });
      const decisions = await make('approved', stored);
      const write1 = { before: stored, decisions, record: record('decide') };
      const racing = await Promise.all(Array.from({ length: 10 }, () => store.decide(write1)));
      expect(racing.filter(({ ok }) => ok)).toHaveLength(1);
      expect(await store.decide(write1)).toEqual({ ok: false, error: 'stale' });
      const late = await store.write({
        ...writeOf(sampleTenant('acme'), null),
        before: stored,
        decisions,
        tenant: { ...sampleTenant('acme'), displayName: 'Other' },
      });
      expect(late).toEqual({ ok: false, error: 'stale' });
      expect((await store.findTenant('acme'))?.tenant.displayName).toBe('Sample tenant');
      expect(await store.lastSequence()).toBe(2);
      const fresh = await make('rejected', stored);
      await write();
      expect(await store.decide({ ...write1, decisions: fresh })).toEqual({ ok: false, error: 'stale' });
      expect((await store.findApprovals('acme')).servers.get('tracker')?.decisions).toHaveLength(1);
    });

    it('outlive their server and their tenant', async () => {
      await decide('approved', await write({ submission: SUBMISSION }));
      await write({ tenant: { ...sampleTenant('acme'), servers: [], grants: [] } });
      await store.write(removal('acme', 2));
      const records = await store.findApprovals('acme');
      expect(records.servers.get('tracker')).toMatchObject({
        pins: { surface: { version: '1.0.0' } },
        submissions: [{ version: '1.0.0' }],
        decisions: [{ verdict: 'approved' }],
      });
    });
  });

/** A database that can be as it was before there were approvals. */
export type ForgetfulStore = StoreUnderTest & {
  /** Runs the statements, and the migration's moving of rows. */
  forget(statements: readonly string[]): Promise<void>;
};

const FORGET = ['pins', 'decisions', 'submissions', 'key_registrations'].map(
  (table) => `DELETE FROM ${table}`,
);

export const describeAdoption = (name: string, create: () => Promise<ForgetfulStore>) =>
  describe(`a ${name} database from before approvals`, () => {
    it('has what it served approved, and knows who published it and who brought the key', async () => {
      const under = await create();
      const before = await under.open();
      const publication = {
        serverId: 'tracker',
        version: '1.0.0',
        digest: 'a digest',
        publisherId: 'tracker-team',
        kid: 'tracker-2026',
        at: AT,
        bytes: bytesOf(manifest2({ health: { path: '/h' } })),
        signature: 'a signature',
        id: { thumbprint: 'key', jti: 'one', forgetAt: 2_000_000_000 },
      };
      await before.write({
        ...writeOf(sampleTenant('acme'), null),
        publication,
        record: { ...record('publish servers/tracker/versions/1.0.0'), actor: SUBMISSION.actor },
      });
      const stored = await before.findTenant('acme');
      await before.write({
        ...writeOf({ ...sampleTenant('acme'), displayName: 'Other' }, null),
        before: stored,
        record: { ...record('patch publishers/tracker-team'), actor: 'eve' },
      });
      await before.close();
      // Revisions had their actor in the row then.
      const author = (actor: string, action: string): string =>
        `UPDATE revisions SET actor = '${actor}' WHERE action LIKE '${action} %'`;
      await under.forget([...FORGET, author(SUBMISSION.actor, 'publish'), author('eve', 'patch')]);

      const store = await under.open();
      const records = await store.findApprovals('acme');
      const { pins, submissions, decisions } = records.servers.get('tracker') ?? {};
      expect(decisions).toMatchObject([{ version: '1.0.0', verdict: 'approved', actor: 'registry' }]);
      expect(pins?.surface?.surface).toMatchObject({ health: { path: '/h' }, transport: 'streamable-http' });
      expect([...(pins?.tools.keys() ?? [])]).toEqual(['create_issue']);
      expect(submissions).toMatchObject([SUBMISSION]);
      expect(records.keyRegistrations).toMatchObject([{ kid: 'tracker-2026', actor: 'eve' }]);
      const { tenant } = (await store.findTenant('acme')) as StoredTenant;
      expect(reviewOf(tenant, records)).toMatchObject({ state: 'approved', differences: [] });
      expect(await store.decide(await decisionAfter(store))).toMatchObject({ ok: true });
      await store.close();
      await under.remove();
    });
  });

/** Numbers go on behind those that the migration gave. */
const decisionAfter = async (store: Store) => {
  const stored = (await store.findTenant('acme')) as StoredTenant;
  const records = await store.findApprovals('acme');
  const made = [makeDecision(reviewOf(stored.tenant, records), 'rejected', DECIDER)];
  return { before: stored, decisions: { mark: records.mark, made }, record: record('reject') };
};
