import { describe, expect, it } from 'vitest';
import type { Tenant } from '#core/tenant.ts';
import { SETTINGS, snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import { createSnapshotBuilder } from '#xds-server/snapshot/builder.ts';

const serversOf = (...ids: string[]) =>
  Object.fromEntries(ids.map((id) => [id, { '1.0.0': [`https://${id}.example/mcp`] }]));
const hosting = (id: string, ...servers: string[]): Tenant => ({
  ...tenantOf(id, serversOf(...servers)),
  hosts: { names: [`${id}.example`] },
});
const facts = { addressesOf: () => ['192.0.2.1'] };

/** Each short scope and whose routes it leads to, after each of the worlds. */
const scopesAfter = (...worlds: readonly (readonly Tenant[])[]) => {
  const build = createSnapshotBuilder(SETTINGS);
  return worlds.map((tenants, index) => {
    const { scope } = build(snapshotOf(index + 1, ...tenants), facts).snapshot.kinds;
    const short = [...scope.values()].filter(({ name }) => name.startsWith('short/'));
    return Object.fromEntries(short.map(({ name, needs }) => [name, needs]).toSorted());
  });
};

describe('scopes of short addresses', () => {
  it('are made for servers of tenants that have host names, and of no others', () => {
    expect(scopesAfter([hosting('acme', 'clock'), tenantOf('beta', serversOf('mail'))])).toEqual([
      { 'short/clock': 'hosted' },
    ]);
  });

  it('lead to the default tenant’s routes as long as it has a server of the id', () => {
    const acme = hosting('acme', 'clock');
    const [alone, both, after] = scopesAfter(
      [acme],
      [acme, tenantOf('default', serversOf('clock'))],
      [acme, tenantOf('default', {})],
    );
    expect(alone).toEqual({ 'short/clock': 'hosted' });
    expect(both).toEqual({ 'short/clock': 'tenant/default' });
    expect(after).toEqual({ 'short/clock': 'hosted' });
  });

  it('go with the last tenant that needs them', () => {
    const [both, one, none] = scopesAfter(
      [hosting('acme', 'clock'), hosting('beta', 'clock')],
      [hosting('acme', 'clock'), tenantOf('beta', serversOf('clock'))],
      [tenantOf('acme', serversOf('clock')), tenantOf('beta', serversOf('clock'))],
    );
    expect(both).toEqual({ 'short/clock': 'hosted' });
    expect(one).toEqual({ 'short/clock': 'hosted' });
    expect(none).toEqual({});
  });

  it('cost the routes of no tenant', () => {
    const build = createSnapshotBuilder(SETTINGS);
    const plain = tenantOf('acme', serversOf('clock'));
    const before = build(snapshotOf(1, plain), facts).snapshot.kinds;
    const after = build(snapshotOf(2, { ...plain, hosts: { names: ['acme.example'] } }), facts).snapshot
      .kinds;
    for (const kind of ['listener', 'cluster', 'endpoint', 'route'] as const)
      expect([...after[kind].values()]).toEqual([...before[kind].values()]);
  });
});
