// Unit tests of preview.ts: what is foretold is what then happens.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tenant } from '#core/tenant.ts';
import { SETTINGS, snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import { RESOURCE_KINDS, TYPE_URLS } from '#xds-server/resource-kind.ts';
import { createSnapshotBuilder } from '#xds-server/snapshot/builder.ts';
import { previewTenant } from '#xds-server/snapshot/preview.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';

const ADDRESSES = ['192.0.2.1'];
const facts = { addressesOf: () => ADDRESSES };

const servers = fc.dictionary(
  fc.constantFrom('files', 'mail', 'wiki'),
  fc.dictionary(
    fc.constantFrom('1.0.0', '2.0.0'),
    fc.constantFrom(
      ['https://a.example/mcp'],
      ['https://a.example/mcp', 'http://b.example/mcp'],
      ['http://c.example/x'],
    ),
    { minKeys: 1 },
  ),
);
const tenants: fc.Arbitrary<Tenant> = servers.map((each) => tenantOf('acme', each));
const beta = tenantOf('beta', { files: { '1.0.0': ['https://b.example/mcp'] } });

/** The difference of two publications, found without knowing anything of previews. */
const differences = (before: ResourceSnapshot, after: ResourceSnapshot) =>
  RESOURCE_KINDS.flatMap((kind) => {
    const [old, current] = [before.kinds[kind], after.kinds[kind]];
    const names = [...new Set([...old.keys(), ...current.keys()])].sort();
    const added = names.filter((name) => !old.has(name));
    const removed = names.filter((name) => !current.has(name));
    const changed = names.filter(
      (name) => old.has(name) && current.has(name) && old.get(name)?.version !== current.get(name)?.version,
    );
    const isSame = added.length + removed.length + changed.length === 0;
    return isSame ? [] : [{ typeUrl: TYPE_URLS[kind], added, changed, removed }];
  });

const served = (...world: readonly Tenant[]) =>
  createSnapshotBuilder(SETTINGS)(snapshotOf(5, ...world), facts).snapshot;

const preview = (tenant: Tenant, basis: ResourceSnapshot | undefined) =>
  previewTenant(tenant, { served: basis, settings: SETTINGS, facts });

describe('previewTenant()', () => {
  it('foretells exactly what the publication of the tenant then changes', () => {
    fc.assert(
      fc.property(tenants, tenants, (now, then) => {
        const before = served(now, beta);
        const foretold = preview(then, before);
        const types = differences(before, served(then, beta));
        expect(foretold).toEqual({ kind: 'effect', sequence: 5, types, omitted: 0 });
      }),
    );
  }, 60_000);

  it('says that nothing changes', () => {
    const acme = tenantOf('acme', { files: { '1.0.0': ['https://a.example/mcp'] } });
    expect(preview(acme, served(acme, beta))).toMatchObject({ types: [] });
  });

  it('says why a tenant could not be served', () => {
    const broken = tenantOf('acme', { files: { '1.0.0': ['https://a.example/mcp?key=1'] } });
    expect(preview(broken, served(beta))).toMatchObject({ kind: 'fault', fault: expect.stringMatching(/./) });
  });

  it('names as many as a person may read, and counts the rest', () => {
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_each, at) => [`server-${at}`, { '1.0.0': ['https://a.example/mcp'] }]),
    );
    const foretold = preview(tenantOf('acme', many), served(beta));
    if (foretold.kind !== 'effect') throw new Error(foretold.fault);
    const named = foretold.types.flatMap(({ added, changed, removed }) => [...added, ...changed, ...removed]);
    expect(named).toHaveLength(500);
    expect(foretold.omitted).toBeGreaterThan(100);
  });
});
