// Unit tests of builder.ts: what is remembered, what is repacked, and whose fault stays whose.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import { RESOURCE_KINDS } from '#xds-server/resource-kind.ts';
import { createSnapshotBuilder } from '#xds-server/snapshot/builder.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';

const SETTINGS = {
  listenAddress: '127.0.0.1',
  port: 8080,
  trustedHops: 0,
  accessLogOnStdout: false,
  upstreamCaFile: '/ca.crt',
};
const ADDRESSES = ['192.0.2.1'];
const everywhere = { addressesOf: () => ADDRESSES };
const nowhere = { addressesOf: () => undefined };

const acme = tenantOf('acme', { files: { '1.0.0': ['https://a.example/mcp'] } });
const beta = tenantOf('beta', { files: { '1.0.0': ['https://b.example/mcp'] } });
const broken = tenantOf('acme', { files: { '1.0.0': ['https://a.example/mcp?key=1'] } });

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
