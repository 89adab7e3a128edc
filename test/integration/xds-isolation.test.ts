// One tenant's resources refused by the real Envoy: that tenant keeps its last good ones, everybody else moves on, and
// the refusal is told with the tenant's name.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packMessage } from '#protos/pack.ts';
import { type TypedMessage, typedMessage } from '#protos/typed-struct.ts';
import { httpCall } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import type { ResourceKind } from '#xds-server/resource-kind.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';

/** Replaces one resource by one that Envoy refuses. */
const spoil = (
  snapshot: ResourceSnapshot,
  kind: ResourceKind,
  name: string,
  message: TypedMessage,
): ResourceSnapshot => {
  const resource = snapshot.kinds[kind].get(name);
  if (resource === undefined) return snapshot;
  const bad = { ...resource, version: 'spoiled', any: packMessage(message) };
  return {
    ...snapshot,
    kinds: { ...snapshot.kinds, [kind]: new Map([...snapshot.kinds[kind], [name, bad]]) },
  };
};

const hosts = ['one', 'two'].map((name) => ({ name, domains: ['same.example'], routes: [] }));
const BAD_ROUTES = typedMessage('envoy.config.route.v3.RouteConfiguration', {
  name: 'tenant/acme',
  virtual_hosts: hosts,
});
const BAD_CLUSTER = typedMessage('envoy.config.cluster.v3.Cluster', {
  name: 'mcp.acme.files.1.0.0',
  type: 'EDS',
});

describe.each(['DELTA_GRPC', 'GRPC'] as const)('over %s', (apiType) => {
  let gateway: Gateway;
  let xds: XdsServer;
  let one: Upstream;
  let two: Upstream;
  let tamper = (snapshot: ResourceSnapshot): ResourceSnapshot => snapshot;

  const world = (sequence: number, url: string) =>
    snapshotOf(
      sequence,
      tenantOf('acme', { files: { '1.0.0': [one.url] } }),
      ...['beta', 'gamma', 'omega'].map((id) => tenantOf(id, { files: { '1.0.0': [url] } })),
    );
  const upstreamOf = async (path: string): Promise<string> =>
    (await httpCall(gateway.origin, path)).text.replace(/.*"upstream":"(\w+)".*/, '$1');
  const settled = (sequence: number) =>
    until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === sequence);
  const rejected = () => xds.ads.nodes()[0]?.rejected ?? [];

  beforeAll(async () => {
    [one, two] = await Promise.all([startUpstream('one'), startUpstream('two', '/two')]);
    gateway = await startGateway({ apiType });
    const { xdsAddress: address, settings } = gateway;
    xds = await startXdsServer({ address, settings, tamper: (snapshot) => tamper(snapshot) });
    xds.update(world(1, one.url));
    await until(
      'all tenants are there',
      async () => (await upstreamOf('/t/omega/mcp/files').catch(() => '')) === 'one',
    );
    await settled(1);
  });
  afterAll(async () => {
    await xds?.stop();
    await gateway?.stop();
    await Promise.all([one?.stop(), two?.stop()]);
  });

  it('keeps bad routes to their tenant', async () => {
    tamper = (snapshot) => spoil(snapshot, 'route', 'tenant/acme', BAD_ROUTES);
    xds.update(world(2, two.url));
    await settled(2);
    for (const tenant of ['beta', 'gamma', 'omega'])
      expect(await upstreamOf(`/t/${tenant}/mcp/files`), tenant).toBe('two');
    expect(await upstreamOf('/t/acme/mcp/files')).toBe('one');
    expect(rejected()).toMatchObject([{ resource: 'tenant/acme', tenantId: 'acme' }]);
    expect(rejected()[0]?.message).toContain('same.example');
  });

  it('keeps a bad cluster to its tenant, and does not ask again', async () => {
    tamper = (snapshot) => spoil(snapshot, 'cluster', 'mcp.acme.files.1.0.0', BAD_CLUSTER);
    xds.update(world(3, one.url));
    await settled(3);
    for (const tenant of ['acme', 'beta', 'gamma', 'omega'])
      expect(await upstreamOf(`/t/${tenant}/mcp/files`), tenant).toBe('one');
    expect(rejected()).toMatchObject([{ resource: 'mcp.acme.files.1.0.0', tenantId: 'acme' }]);
    const refusals = async () =>
      /xds_answers_total\{kind="cluster",answer="nack"[^}]*\} (\d+)/.exec(
        (await xds.metrics.render()).body,
      )?.[1];
    const before = await refusals();
    xds.update(world(4, two.url));
    await settled(4);
    expect(await upstreamOf('/t/beta/mcp/files')).toBe('two');
    expect(await refusals()).toBe(before);
  });

  it('forgets the refusal once the resource is good again', async () => {
    tamper = (snapshot) => snapshot;
    xds.update(world(5, two.url));
    await settled(5);
    expect(rejected()).toEqual([]);
    expect(await upstreamOf('/t/acme/mcp/files')).toBe('one');
  });
});
