// Unit tests of view-cache.ts and concerns.ts on snapshots of the real builder: what a view holds, and what a change
// costs the views it does not concern.

import { describe, expect, it } from 'vitest';
import { snapshotOf, tenantOf, withUpstreams } from '#test/support/xds-world.ts';
import { parseSelector } from '#xds-server/nodes/selector.ts';
import { EVERYTHING, type NodeView, onDemandView, viewOf } from '#xds-server/nodes/view.ts';
import { createViewCache } from '#xds-server/nodes/view-cache.ts';
import { RESOURCE_KINDS } from '#xds-server/resource-kind.ts';
import { createSnapshotBuilder } from '#xds-server/snapshot/builder.ts';

const SETTINGS = {
  listenAddress: '127.0.0.1',
  port: 8080,
  trustedHops: 0,
  listenerTls: false,
  streamIdleSeconds: 3600,
  accessLogOnStdout: false,
  upstreamCaFile: '/ca.crt',
};

const URL = 'http://127.0.0.1:1/mcp';
const ADDRESSES = ['127.0.0.1'];
const AUTHORITY = { use: 'ca', certificates: 'PEM' } as const;
const facts = { addressesOf: () => ADDRESSES, materialOf: () => AUTHORITY };

const seen = (...texts: readonly string[]): NodeView =>
  viewOf(
    texts.flatMap((text) => {
      const selector = parseSelector(text);
      return selector.ok ? [selector.value] : [];
    }),
  );

const ACME = tenantOf('acme', { tracker: { '1.0.0': [URL], '2.0.0': [URL] }, wiki: { '1.0.0': [URL] } });
const DEFAULT = tenantOf('default', { one: { '1': [URL] }, two: { '1': [URL] } });

const start = () => {
  const build = createSnapshotBuilder(SETTINGS);
  const cache = createViewCache();
  const publish = (sequence: number, ...tenants: Parameters<typeof snapshotOf>[1][]) =>
    cache.publish(build(snapshotOf(sequence, ...tenants), facts).snapshot);
  const namesIn = (view: NodeView) => {
    const kinds = cache.find(view)?.snapshot.kinds;
    return Object.fromEntries(
      RESOURCE_KINDS.map((kind) => [kind, [...(kinds?.[kind].keys() ?? [])].toSorted()]),
    );
  };
  const find = (view: NodeView) => {
    const viewed = cache.find(view);
    if (viewed === undefined) throw new Error('nothing was published');
    return viewed;
  };
  return { publish, namesIn, find };
};

describe('the snapshot of a view', () => {
  it('is the same for a node that gets clusters on demand but for the listener, which stays the same value', () => {
    const { publish, namesIn, find } = start();
    publish(1, ACME);
    const [all, onDemand] = [find(EVERYTHING), find(onDemandView(EVERYTHING))];
    expect(namesIn(onDemandView(EVERYTHING))).toEqual(namesIn(EVERYTHING));
    expect(onDemand.snapshot.kinds.listener).not.toBe(all.snapshot.kinds.listener);
    expect(onDemand.snapshot.kinds.cluster).toBe(all.snapshot.kinds.cluster);
    const filters = (viewed: typeof all) =>
      [...viewed.snapshot.kinds.listener.values()].map(({ any }) => any.value.includes('on_demand'));
    expect([filters(all), filters(onDemand)]).toEqual([[false], [true]]);
    publish(2, ACME, DEFAULT);
    expect(find(onDemandView(EVERYTHING)).snapshot.kinds.listener).toBe(onDemand.snapshot.kinds.listener);
    expect(namesIn(onDemandView(seen('acme/wiki')))).toEqual(namesIn(seen('acme/wiki')));
  });

  it('is the whole one for a node that sees everything', () => {
    const { publish, namesIn } = start();
    publish(1, ACME, DEFAULT);
    expect(namesIn(EVERYTHING)).toMatchObject({
      cluster: [
        'mcp.acme.tracker.1.0.0',
        'mcp.acme.tracker.2.0.0',
        'mcp.acme.wiki.1.0.0',
        'mcp.default.one.1',
        'mcp.default.two.1',
      ],
    });
  });

  it('holds one server of a sidecar, with routes to nothing else', () => {
    const { publish, namesIn, find } = start();
    publish(1, ACME, DEFAULT);
    const sidecar = seen('acme/tracker');
    const clusters = ['mcp.acme.tracker.1.0.0', 'mcp.acme.tracker.2.0.0'];
    expect(namesIn(sidecar)).toEqual({
      cluster: clusters,
      secret: [],
      endpoint: clusters,
      listener: ['gateway'],
      scope: ['tenant/acme', 'well-known'],
      route: ['hosted', 'tenant/acme', 'well-known'],
    });
    const routes = find(sidecar).snapshot.kinds.route.get('tenant/acme')?.any.value.toString('latin1') ?? '';
    expect(routes).toContain('/t/acme/mcp/tracker');
    expect(routes).not.toContain('wiki');
  });

  it('holds the short addresses that tenants’ own hosts give its servers, and no others’', () => {
    const { publish, namesIn } = start();
    publish(1, { ...ACME, hosts: { names: ['acme.example'] } }, DEFAULT);
    expect(namesIn(seen('acme/tracker'))['scope']).toEqual(['short/tracker', 'tenant/acme', 'well-known']);
    expect(namesIn(seen('default/two'))['scope']).toEqual(['short/two', 'tenant/default', 'well-known']);
  });

  it('holds the secrets of its own servers, also where others name the same files', () => {
    const { publish, namesIn } = start();
    const tls = { caSecret: 'shared' };
    publish(1, withUpstreams(ACME, { tracker: { tls }, wiki: { tls } }));
    expect(namesIn(seen('acme/tracker'))['secret']).toEqual(['mcp.acme.tracker.ca.shared']);
    expect(namesIn(EVERYTHING)['secret']).toEqual(['mcp.acme.tracker.ca.shared', 'mcp.acme.wiki.ca.shared']);
  });

  it('has the short address of a server of the default tenant, and no others', () => {
    const { publish, namesIn } = start();
    publish(1, ACME, DEFAULT);
    expect(namesIn(seen('default/two'))['scope']).toEqual(['short/two', 'tenant/default', 'well-known']);
  });

  it('is there for a server that does not exist yet, and for a tenant that does not', () => {
    const { publish, namesIn } = start();
    publish(1, ACME);
    expect(namesIn(seen('acme/later'))).toMatchObject({ cluster: [], scope: ['tenant/acme', 'well-known'] });
    expect(namesIn(seen('nobody/nothing'))).toMatchObject({ cluster: [], scope: ['well-known'] });
  });

  it('is made once for all nodes that share it', () => {
    const { publish, find } = start();
    publish(1, ACME, DEFAULT);
    expect(find(seen('acme/tracker')).snapshot).toBe(find(seen('acme/tracker')).snapshot);
  });

  it('is the same after a change of another tenant, but for its sequence', () => {
    const { publish, find } = start();
    const sidecar = seen('acme/tracker');
    publish(1, ACME, DEFAULT);
    const before = find(sidecar).snapshot;
    publish(2, ACME, tenantOf('default', { one: { '1': [URL] } }));
    expect(find(sidecar).snapshot.sequence).toBe(2);
    expect(find(sidecar).snapshot.kinds).toBe(before.kinds);
  });

  it('has equal content after a change of another server of its tenant, which is not said to have come with it', () => {
    const { publish, find } = start();
    const sidecar = seen('acme/tracker');
    publish(1, ACME);
    const before = find(sidecar);
    const kept = { tracker: { '1.0.0': [URL], '2.0.0': [URL] } };
    publish(2, tenantOf('acme', kept));
    const after = find(sidecar);
    expect(after.snapshot.kinds.route.get('tenant/acme')?.version).toBe(
      before.snapshot.kinds.route.get('tenant/acme')?.version,
    );
    expect(after.arrivals.entries).toEqual(before.arrivals.entries);
  });
});
