// Unit tests of builder.ts: what is remembered, what is repacked, and whose fault stays whose.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tenant } from '#core/tenant.ts';
import { largeTenant } from '#test/support/large-tenant.ts';
import { SETTINGS, serverOf, snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import { RESOURCE_KINDS } from '#xds-server/resource-kind.ts';
import { createSnapshotBuilder } from '#xds-server/snapshot/builder.ts';
import type { ResourceSnapshot, Resources } from '#xds-server/snapshot/resource.ts';
import { changedNames } from '#xds-server/snapshot/resource-step.ts';
import type { EndpointFacts } from '#xds-server/translate/endpoints.ts';
import { translateTenant } from '#xds-server/translate/tenant.ts';

const ADDRESSES = ['192.0.2.1'];
const everywhere = { addressesOf: () => ADDRESSES };
const nowhere = { addressesOf: () => undefined };

const acme = tenantOf('acme', { files: { '1.0.0': ['https://a.example/mcp'] } });
const beta = tenantOf('beta', { files: { '1.0.0': ['https://b.example/mcp'] } });
const broken = tenantOf('acme', { files: { '1.0.0': ['https://a.example/mcp?key=1'] } });

type Edit = (tenants: readonly Tenant[]) => readonly Tenant[];

/** Replaces one tenant, or one server of it; everything else stays the same value. */
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.constantFrom(acme, beta, broken).map(
    (tenant): Edit =>
      (tenants) => [...tenants.filter(({ id }) => id !== tenant.id), { ...tenant }],
  ),
  fc.constantFrom('acme', 'beta').map(
    (gone): Edit =>
      (tenants) =>
        tenants.filter(({ id }) => id !== gone),
  ),
  fc
    .tuple(
      fc.constantFrom('acme', 'beta'),
      fc.constantFrom('files', 'mail'),
      fc.uniqueArray(fc.constantFrom('1.0.0', '2.0.0'), { minLength: 1 }),
      fc.constantFrom('https://a.example/x', 'http://b.example/mcp', 'https://a.example/mcp?key=1'),
    )
    .map(([id, name, names, url]): Edit => {
      const server = serverOf(name, Object.fromEntries(names.map((version) => [version, [url]])));
      return (tenants) =>
        tenants.map((tenant) =>
          tenant.id === id
            ? { ...tenant, servers: [...tenant.servers.filter((other) => other.id !== name), server] }
            : tenant,
        );
    }),
);

const address = fc.constantFrom(['192.0.2.7'], ['192.0.2.8', '192.0.2.9'], undefined);

/** What is served of each tenant: its present state, or the last one that could be translated. */
const lastGood = (before: readonly Tenant[], tenants: readonly Tenant[]): readonly Tenant[] =>
  tenants.flatMap((tenant) =>
    translateTenant(tenant, SETTINGS).ok ? tenant : (before.find(({ id }) => id === tenant.id) ?? []),
  );

const sorted = (resources: Resources) =>
  [...resources.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** Names that are not the same object in both. */
const differences = (before: Resources, after: Resources): readonly string[] =>
  [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .sort();

const versions = (snapshot: ResourceSnapshot) =>
  RESOURCE_KINDS.map((kind) =>
    [...snapshot.kinds[kind].values()].map(({ name, version }) => `${name} ${version}`).sort(),
  );

describe('createSnapshotBuilder()', () => {
  it('gives equal worlds equal versions, in any process and after any history', () => {
    const tenants = fc.uniqueArray(
      fc.constantFrom(acme, beta, tenantOf('default', { x: { '2': ['http://127.0.0.1/'] } })),
    );
    fc.assert(
      fc.property(fc.array(tenants, { maxLength: 4 }), tenants, (history, last) => {
        const used = createSnapshotBuilder(SETTINGS);
        for (const world of history) used(snapshotOf(1, ...world), everywhere);
        const fresh = createSnapshotBuilder(SETTINGS);
        const copy = structuredClone(snapshotOf(9, ...last));
        expect(versions(used(snapshotOf(9, ...last), everywhere).snapshot)).toEqual(
          versions(fresh(copy, everywhere).snapshot),
        );
      }),
      { numRuns: 20 },
    );
  }, 60_000);

  it('carries over what it need not build again, and says the same as one that never saw anything else', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(edit, fc.option(address)), { maxLength: 6 }), (steps) => {
        const used = createSnapshotBuilder(SETTINGS);
        let [tenants, facts]: [readonly Tenant[], EndpointFacts] = [[acme, beta], everywhere];
        let served = tenants;
        let before = used(snapshotOf(0, ...tenants), facts).snapshot;
        for (const [sequence, [change, moved]] of steps.entries()) {
          tenants = change(tenants);
          if (moved !== null) facts = { addressesOf: (url) => (url.includes('a.') ? moved : ADDRESSES) };
          served = lastGood(served, tenants);
          const after = used(snapshotOf(sequence, ...tenants), facts).snapshot;
          const copy = structuredClone(snapshotOf(sequence, ...served));
          const fresh = createSnapshotBuilder(SETTINGS)(copy, facts).snapshot;
          for (const kind of RESOURCE_KINDS) {
            expect(sorted(after.kinds[kind])).toEqual(sorted(fresh.kinds[kind]));
            const differing = differences(before.kinds[kind], after.kinds[kind]);
            expect([...(changedNames(before.kinds[kind], after.kinds[kind]) ?? [])].sort()).toEqual(
              differing,
            );
          }
          before = after;
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('builds as much for one change among a thousand servers as among ten', () => {
    const work = [10, 1_000].map((size) => {
      const build = createSnapshotBuilder(SETTINGS);
      const tenant = largeTenant('acme', { servers: size, tools: 1 });
      const before = build(snapshotOf(1, tenant, beta), everywhere).snapshot;
      const [server, ...others] = tenant.servers;
      const [version] = server?.versions ?? [];
      if (server === undefined || version === undefined) throw new Error('there is one');
      const versions = [version, { ...version, version: '2.0.0' }];
      const changed = { ...tenant, servers: [{ ...server, versions }, ...others] };
      const after = build(snapshotOf(2, changed, beta), everywhere).snapshot;
      return RESOURCE_KINDS.map((kind) => differences(before.kinds[kind], after.kinds[kind]));
    });
    expect(work[0]).toEqual([
      ['mcp.acme.server-0000.2.0.0'],
      [],
      ['mcp.acme.server-0000.2.0.0'],
      [],
      [],
      ['tenant/acme'],
    ]);
    expect(work[1]).toEqual(work[0]);
  }, 60_000);

  it('changes nothing for Envoys where the change is none of theirs', () => {
    const build = createSnapshotBuilder(SETTINGS);
    const before = build(snapshotOf(1, acme, beta), everywhere).snapshot;
    const servers = acme.servers.map((server) => ({ ...server, displayName: 'other' }));
    const after = build(snapshotOf(2, { ...acme, accessContact: 'x', servers }, beta), everywhere).snapshot;
    for (const kind of RESOURCE_KINDS) expect(after.kinds[kind]).toBe(before.kinds[kind]);
  });

  it('repacks nothing of a tenant that did not change', () => {
    const build = createSnapshotBuilder(SETTINGS);
    const before = build(snapshotOf(1, acme, beta), everywhere).snapshot;
    const changed = tenantOf('beta', { files: { '2.0.0': ['https://b.example/mcp'] } });
    const after = build(snapshotOf(2, acme, changed), everywhere).snapshot;
    for (const kind of ['cluster', 'endpoint', 'route'] as const) {
      const own = [...before.kinds[kind].values()].filter(({ tenantId }) => tenantId === 'acme');
      expect(own.length).toBe(1);
      for (const resource of own) expect(after.kinds[kind].get(resource.name)).toBe(resource);
    }
    expect(after.kinds.listener.get('gateway')).toBe(before.kinds.listener.get('gateway'));
  });

  it('changes endpoints alone when addresses do', () => {
    const build = createSnapshotBuilder(SETTINGS);
    const before = build(snapshotOf(1, acme), everywhere).snapshot;
    const after = build(snapshotOf(1, acme), { addressesOf: () => ['192.0.2.2'] }).snapshot;
    expect(after.kinds.cluster).toEqual(before.kinds.cluster);
    expect(after.kinds.endpoint.get('mcp.acme.files.1.0.0')?.version).not.toBe(
      before.kinds.endpoint.get('mcp.acme.files.1.0.0')?.version,
    );
  });

  it('keeps the last good state of a tenant that cannot be translated, and says whose it is', () => {
    const build = createSnapshotBuilder(SETTINGS);
    const before = build(snapshotOf(1, acme, beta), everywhere).snapshot;
    const { snapshot, faults } = build(snapshotOf(2, broken, beta), everywhere);
    expect(versions(snapshot)).toEqual(versions(before));
    expect(faults).toEqual([
      { tenantId: 'acme', message: 'server files, version 1.0.0: an endpoint carries a query or a fragment' },
    ]);
    expect(build(snapshotOf(3, acme, beta), everywhere).faults).toEqual([]);
  });

  it('leaves out a tenant that never could be translated', () => {
    const { snapshot, faults } = createSnapshotBuilder(SETTINGS)(snapshotOf(1, broken, beta), everywhere);
    expect(snapshot.kinds.route.has('tenant/acme')).toBe(false);
    expect(snapshot.kinds.route.has('tenant/beta')).toBe(true);
    expect(faults.map(({ tenantId }) => tenantId)).toEqual(['acme']);
  });

  it('forgets a tenant that is gone', () => {
    const build = createSnapshotBuilder(SETTINGS);
    build(snapshotOf(1, acme, beta), everywhere);
    const { snapshot } = build(snapshotOf(2, beta), everywhere);
    const names = RESOURCE_KINDS.flatMap((kind) => [...snapshot.kinds[kind].keys()]);
    expect(names.filter((name) => name.includes('acme'))).toEqual([]);
  });

  it('marks endpoints nobody could resolve yet', () => {
    const { snapshot } = createSnapshotBuilder(SETTINGS)(snapshotOf(1, acme), nowhere);
    expect(snapshot.kinds.endpoint.get('mcp.acme.files.1.0.0')?.isPlaceholder).toBe(true);
  });
});
