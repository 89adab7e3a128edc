// Node groups on the real xds-server: a sidecar and an edge get each what concerns them, whoever claims to be what its
// certificate does not say is refused, and what does not concern a node does not wait for it. In both protocols.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpCall } from '#test/support/http-call.ts';
import { idOf, tlsAddress, type WatchedTls, watchPeer, writePeer } from '#test/support/internal-peers.ts';
import { createTestAuthority } from '#test/support/test-authority.ts';
import { wireNode } from '#test/support/wire-node.ts';
import { XdsClient } from '#test/support/xds-client.ts';
import {
  freePort,
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import type { WireNode } from '#xds-server/nodes/claim.ts';
import { type NodesTable, parseNodesTable } from '#xds-server/nodes/nodes-table.ts';

const SETTINGS = {
  listenAddress: '127.0.0.1',
  port: 1,
  trustedHops: 0,
  listenerTls: false,
  streamIdleSeconds: 3600,
  accessLogOnStdout: false,
  upstreamCaFile: '/etc/ssl/certs/ca-certificates.crt',
};

const TRACKER = wireNode('s1', { group: 'sidecar', servers: ['acme/tracker'] });
const EDGE = wireNode('e1', { group: 'edge' });

const tableOf = (...nodes: readonly object[]): NodesTable => {
  const parsed = parseNodesTable(JSON.stringify({ regions: { eu: ['acme/*'] }, nodes }));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

const TABLE = tableOf(
  { san: idOf('edge'), group: 'edge' },
  { san: idOf('sidecar/tracker'), group: 'sidecar', servers: ['acme/tracker'] },
);

let upstream: Upstream;
let xds: XdsServer;
let cleanups: (() => Promise<void> | void)[];

const world = (sequence: number, betaVersion = '1.0.0') =>
  snapshotOf(
    sequence,
    tenantOf('acme', { tracker: { '1.0.0': [upstream.url] }, wiki: { '1.0.0': [upstream.url] } }),
    tenantOf('beta', { files: { [betaVersion]: [upstream.url] } }),
  );

const publish = async (snapshot = world(1)): Promise<void> => {
  xds.update(snapshot);
  await until('it is published', () => xds.publishedSequence() === snapshot.sequence);
};

beforeEach(async () => {
  cleanups = [];
  upstream = await startUpstream('one');
});

afterEach(async () => {
  for (const cleanup of cleanups) await cleanup();
  await upstream.stop();
});

describe.each(['DELTA_GRPC', 'GRPC'] as const)('a sidecar Envoy over %s', (apiType) => {
  it('serves its server and knows of no other', async () => {
    const node = { group: 'sidecar', servers: ['acme/tracker'], region: '' } as const;
    const gateway: Gateway = await startGateway({ apiType, bootstrap: { node } });
    xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
    cleanups.push(
      () => xds.stop(),
      () => gateway.stop(),
    );
    await publish();
    const answers = (path: string) =>
      httpCall(gateway.origin, path).then(
        ({ status: code }) => code,
        () => 0,
      );
    await until('it serves', async () => (await answers('/t/acme/mcp/tracker')) === 200);
    expect(await answers('/t/acme/mcp/wiki')).toBe(404);
    expect(await answers('/t/beta/mcp/files')).toBe(404);
    const dump = await gateway.admin('/config_dump?include_eds');
    expect(dump).toContain('mcp.acme.tracker.1.0.0');
    expect(dump).not.toMatch(/wiki|beta/);
    await publish(world(2, '2.0.0'));
    await until('it has settled the change of others', () =>
      xds.ads.nodes().every(({ acknowledgedSequence }) => acknowledgedSequence === 2),
    );
  });
});

describe.each(['delta', 'sotw'] as const)('clients over %s', (protocol) => {
  const port = { value: 0 };
  let directory: string;
  let table: NodesTable;
  let changed: () => void;
  let server: WatchedTls;
  const authority = createTestAuthority();

  const peer = async (name: string): Promise<WatchedTls> => {
    const issued = authority.issue([idOf(name)]);
    const tls = await watchPeer(await writePeer(join(directory, name), issued, authority.certificate));
    cleanups.push(tls.stop);
    return tls;
  };

  const connect = async (name: string, node: WireNode): Promise<XdsClient> => {
    const address = tlsAddress(port.value, idOf('xds-server'));
    const client = new XdsClient(address, protocol, node, await peer(name));
    cleanups.unshift(() => client.close());
    return client;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'groups-'));
    port.value = await freePort();
    table = TABLE;
    changed = () => undefined;
    server = await peer('xds-server');
    xds = await startXdsServer({
      address: tlsAddress(port.value, idOf('edge'), idOf('sidecar/*')),
      tls: server,
      settings: SETTINGS,
      nodes: {
        current: () => table,
        onChange: (listener) => {
          changed = listener;
        },
        stop: () => undefined,
      },
    });
    cleanups.push(
      () => xds.stop(),
      () => rm(directory, { recursive: true, force: true }),
    );
    await publish();
  });

  it('of two groups get each their own', async () => {
    const edge = await connect('edge', EDGE);
    edge.subscribe('cluster');
    const all = Object.keys((await edge.take('cluster')).resources);
    expect(all).toEqual(['mcp.acme.tracker.1.0.0', 'mcp.acme.wiki.1.0.0', 'mcp.beta.files.1.0.0']);
    const sidecar = await connect('sidecar/tracker', TRACKER);
    sidecar.subscribe('cluster');
    expect(Object.keys((await sidecar.take('cluster')).resources)).toEqual(['mcp.acme.tracker.1.0.0']);
  });

  it('that are a sidecar get nothing of others by naming it', async () => {
    const sidecar = await connect('sidecar/tracker', TRACKER);
    sidecar.subscribe('cluster', ['mcp.acme.tracker.1.0.0', 'mcp.acme.wiki.1.0.0']);
    const clusters = await sidecar.take('cluster');
    expect(Object.keys(clusters.resources)).toEqual(['mcp.acme.tracker.1.0.0']);
    sidecar.subscribe('endpoint', ['mcp.beta.files.1.0.0', 'mcp.acme.wiki.1.0.0']);
    sidecar.subscribe('route', ['tenant/beta']);
    const told = await sidecar.finish();
    expect(told.flatMap(({ resources }) => Object.keys(resources))).toEqual([]);
  });

  it.each([
    ['the edge', 'sidecar/tracker', EDGE, 'may not be an edge'],
    [
      'another server',
      'sidecar/tracker',
      wireNode('s1', { group: 'sidecar', servers: ['acme/wiki'] }),
      'acme/wiki',
    ],
    ['nothing in particular', 'sidecar/tracker', { id: 's1' }, 'may not be an edge'],
    ['what it may be elsewhere', 'sidecar/stranger', TRACKER, 'no node has a name of this certificate'],
  ])('that claim to be %s are refused', async (_, name, node, why) => {
    const client = await connect(name, node);
    client.subscribe('cluster');
    expect(await client.failure()).toEqual({
      code: status.PERMISSION_DENIED,
      details: expect.stringContaining(why),
    });
    expect((await xds.metrics.render()).body).toMatch(/mcpgw_xds_refused_nodes_total\S* 1/);
    expect(xds.ads.nodes()).toEqual([]);
  });

  it('cannot become another node within a stream', async () => {
    const sidecar = await connect('sidecar/tracker', TRACKER);
    sidecar.subscribe('cluster');
    await sidecar.take('cluster');
    sidecar.say('route', {
      node: EDGE,
      resource_names: ['tenant/beta'],
      resource_names_subscribe: ['tenant/beta'],
    });
    const told = await sidecar.finish();
    expect(told.flatMap(({ resources }) => Object.keys(resources))).toEqual([]);
  });

  it('are sent away when the table no longer knows them, and served anew when it means them otherwise', async () => {
    const sidecar = await connect('sidecar/tracker', TRACKER);
    sidecar.subscribe('cluster');
    await sidecar.take('cluster');
    const edge = await connect('edge', EDGE);
    edge.subscribe('cluster');
    await edge.take('cluster');
    edge.subscribe('endpoint', ['mcp.beta.files.1.0.0']);
    await edge.take('endpoint');
    table = tableOf({ san: idOf('edge'), group: 'edge', servers: ['beta/*'] });
    changed();
    expect(await sidecar.failure()).toMatchObject({ code: status.PERMISSION_DENIED });
    const left = await edge.take('cluster');
    if (protocol === 'sotw') expect(Object.keys(left.resources)).toEqual(['mcp.beta.files.1.0.0']);
    else expect(left.removed).toEqual(['mcp.acme.tracker.1.0.0', 'mcp.acme.wiki.1.0.0']);
  });
});

describe('a node that comes back as another', () => {
  it('is told what it has no more', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'groups-'));
    const address = { kind: 'unix', path: join(directory, 'x.sock') } as const;
    xds = await startXdsServer({ address, settings: SETTINGS });
    cleanups.push(
      () => xds.stop(),
      () => rm(directory, { recursive: true, force: true }),
    );
    await publish();
    const before = new XdsClient(address, 'delta', EDGE);
    before.subscribe('cluster');
    const { versions } = await before.take('cluster');
    before.close();
    const after = new XdsClient(
      address,
      'delta',
      wireNode('e1', { group: 'sidecar', servers: ['acme/tracker'] }),
    );
    cleanups.unshift(() => after.close());
    after.subscribe('cluster', [], versions);
    await after.take('cluster');
    after.subscribe('endpoint', ['mcp.acme.tracker.1.0.0']);
    await after.take('endpoint');
    expect((await after.take('cluster')).removed).toEqual(['mcp.acme.wiki.1.0.0', 'mcp.beta.files.1.0.0']);
  });
});
