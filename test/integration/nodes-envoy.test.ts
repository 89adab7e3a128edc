// GET /v1/nodes and what each has, on real Envoys: an edge and a sidecar with what each is, what one refuses, and one that
// goes.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { err } from '#core/result.ts';
import { type ControlPlane, spoilRoutes, startControlPlane } from '#test/support/control-plane.ts';
import { wireNode } from '#test/support/wire-node.ts';
import { XdsClient } from '#test/support/xds-client.ts';
import { type Gateway, startGateway, until } from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { parseNodesTable } from '#xds-server/nodes/nodes-table.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';

type Node = {
  readonly id: string;
  readonly state: string;
  readonly since: string;
  readonly config: string;
  readonly acknowledgedSequence: number;
  readonly lastNack?: { readonly at: string };
};
type Config = {
  readonly unknownBecause?: string;
  readonly config: {
    readonly sequence: number;
    readonly types: readonly { readonly kind: string; readonly inSync: number; readonly pending: number }[];
    readonly resources: readonly {
      readonly kind: string;
      readonly name: string;
      readonly state: string;
      readonly wanted?: { readonly version: string };
      readonly held?: { readonly version: string; readonly by: string };
    }[];
  } | null;
};
type Nodes = { readonly sequence: number; readonly items: readonly Node[] };

const MAX_MS = 60_000;

let plane: ControlPlane;
let edge: Gateway;
let sidecar: Gateway;
let upstream: Upstream;
let tamper = (snapshot: ResourceSnapshot): ResourceSnapshot => snapshot;

const nodesTable = () => {
  const parsed = parseNodesTable(JSON.stringify({ regions: { eu: ['acme/*', 'beta/*'] }, nodes: [] }));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

/** One of its own for each, because all Envoys of one have their listener at one port. */
const startXds = (name: string, { xdsAddress, settings }: Gateway) =>
  plane.startXds(name, {
    address: xdsAddress,
    settings,
    nodes: { current: nodesTable, onChange: () => undefined, stop: () => undefined },
    tamper: (snapshot) => tamper(snapshot),
  });

const nodes = async (query = ''): Promise<Nodes> =>
  (await plane.registry.call('GET', `/v1/nodes${query}`)).body as unknown as Nodes;

const configOf = async (id: string, query = ''): Promise<Config> =>
  (await plane.registry.call('GET', `/v1/nodes/${encodeURIComponent(id)}/config${query}`))
    .body as unknown as Config;

const resourcesOf = async (id: string, query = '') => (await configOf(id, query)).config?.resources ?? [];

const find = async (id: string): Promise<Node | undefined> =>
  (await nodes()).items.find((node) => node.id === id);

const isSaid = (what: string, of: string, test: (node: Node | undefined) => boolean) =>
  until(what, async () => test(await find(of)), MAX_MS);

beforeAll(async () => {
  plane = await startControlPlane();
  upstream = await startUpstream('one');
  edge = await startGateway({
    bootstrap: { nodeId: 'edge-1', node: { group: 'edge', servers: [], region: 'eu' } },
  });
  sidecar = await startGateway({
    apiType: 'GRPC',
    bootstrap: {
      nodeId: 'tracker-7',
      node: { group: 'sidecar', servers: ['acme/files'], region: '' },
    },
  });
  await startXds('xds-server/one', edge);
  await startXds('xds-server/two', sidecar);
  await plane.furnish('acme', upstream.url);
  await plane.furnish('beta', upstream.url);
  await plane.activate('acme', '1.0.0');
  await isSaid('the edge has all', 'edge-1', (node) => node?.config === 'in_sync');
  await isSaid('the sidecar has all', 'tracker-7', (node) => node?.config === 'in_sync');
});

afterEach(() => {
  tamper = (snapshot) => snapshot;
});

afterAll(async () => {
  await sidecar?.stop();
  await plane?.stop();
  await edge?.stop();
  await upstream?.stop();
});

describe('the list of nodes', () => {
  it('has every Envoy with what it is and how far it has come', async () => {
    const { sequence, items } = await nodes();
    expect(items).toEqual([
      {
        id: 'edge-1',
        state: 'connected',
        since: expect.any(String),
        xdsServer: 'xds-server/one',
        connections: 1,
        config: 'in_sync',
        acknowledgedSequence: sequence,
        rejected: 0,
        group: 'edge',
        region: 'eu',
        envoyVersion: expect.stringMatching(/^1\.\d+\.\d+$/),
        protocol: 'delta',
      },
      expect.objectContaining({
        id: 'tracker-7',
        xdsServer: 'xds-server/two',
        group: 'sidecar',
        servers: ['acme/files'],
        protocol: 'sotw',
        acknowledgedSequence: sequence,
      }),
    ]);
    expect(Date.now() - Date.parse(items[0]?.since ?? '')).toBeLessThan(600_000);
  });

  it.each([
    ['?group=sidecar', ['tracker-7']],
    ['?region=eu', ['edge-1']],
    ['?region=us', []],
    ['?state=gone', []],
    ['?state=connected&config=in_sync', ['edge-1', 'tracker-7']],
    ['?after=edge-1', ['tracker-7']],
  ])('is narrowed by %s', async (query, ids) => {
    expect((await nodes(query)).items.map(({ id }) => id)).toEqual(ids);
  });

  it('comes in pages', async () => {
    const { headers } = await plane.registry.call('GET', '/v1/nodes?limit=1');
    expect(headers.get('link')).toBe('</v1/nodes?limit=1&after=edge-1>; rel="next"');
  });
});

/** Names and versions of the clusters in Envoy's own dump, without the publication each was told with. */
const dumpedClusters = async (gateway: Gateway): Promise<readonly string[]> => {
  const dump = JSON.parse(await gateway.admin('/config_dump?resource=dynamic_active_clusters')) as {
    readonly configs: readonly {
      readonly version_info: string;
      readonly cluster: { readonly name: string };
    }[];
  };
  return dump.configs
    .map(({ version_info, cluster }) => `${cluster.name} ${version_info.split('@')[0]}`)
    .toSorted();
};

describe('what an Envoy has', () => {
  it('is what it is to have once it took all of it, and what its own dump shows', async () => {
    const { config } = await configOf('edge-1');
    expect(config?.resources.map(({ kind }) => kind)).toContain('route');
    expect(config?.resources.map(({ state }) => state)).not.toContain('pending');
    for (const { wanted, held } of config?.resources ?? []) expect(held?.version).toBe(wanted?.version);
    const clusters = (config?.resources ?? []).filter(({ kind }) => kind === 'cluster');
    const own = clusters.map(({ name, held }) => `${name} ${held?.version}`).toSorted();
    expect(own).not.toEqual([]);
    expect(await dumpedClusters(edge)).toEqual(own);
  });

  it('is no content, and nothing of a sidecar that does not concern it', async () => {
    const text = JSON.stringify(await configOf('tracker-7'));
    expect(text).not.toMatch(new RegExp(new URL(upstream.url).port));
    expect(text).toContain('mcp.acme.files.1.0.0');
    expect(text).not.toContain('beta');
  });

  it('comes in pages, and is narrowed by kind and state', async () => {
    const { headers } = await plane.registry.call('GET', '/v1/nodes/edge-1/config?limit=1');
    expect(headers.get('link')).toMatch(
      /^<\/v1\/nodes\/edge-1\/config\?limit=1&after=cluster%2F.*>; rel="next"$/,
    );
    const kinds = (await resourcesOf('edge-1', '?kind=route')).map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['route']));
    expect(await resourcesOf('edge-1', '?state=rejected')).toEqual([]);
  });

  it('is asked for Envoys there are', async () => {
    const answer = await plane.registry.call('GET', `/v1/nodes/${'x'.repeat(256)}/config`);
    expect([answer.status, answer.body.type]).toEqual([404, 'urn:mcpgw:problem:not-found']);
  });

  it('is not known where its xds-server does not answer', async () => {
    const { nodeConfig } = plane.registry;
    plane.registry.nodeConfig = async () => err('not-here');
    expect(await configOf('edge-1')).toMatchObject({ config: null, unknownBecause: 'not-here' });
    plane.registry.nodeConfig = nodeConfig;
  });
});

describe('a refusal', () => {
  it('stands at the Envoy that refused, and goes on to be the last one when all is well again', async () => {
    tamper = (snapshot) => spoilRoutes(snapshot, 'beta');
    await plane.activate('beta', '1.0.0');
    await isSaid('it is refused', 'edge-1', (node) => node?.config === 'rejected');
    expect(await find('edge-1')).toMatchObject({
      state: 'connected',
      rejected: 1,
      lastNack: {
        typeUrl: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
        resources: ['tenant/beta'],
        omitted: 0,
        message: expect.stringContaining('Only unique values for domains are permitted'),
      },
    });
    expect(await resourcesOf('edge-1', '?state=rejected')).toMatchObject([
      {
        kind: 'route',
        name: 'tenant/beta',
        wanted: { version: expect.stringMatching(/^bad-/) },
        message: expect.stringContaining('Only unique values for domains are permitted'),
        tenant: 'beta',
      },
    ]);
    await isSaid('the other one is well', 'tracker-7', (node) => node?.config === 'in_sync');
    expect(await find('tracker-7')).not.toHaveProperty('lastNack');
    tamper = (snapshot) => snapshot;
    await plane.activate('beta', '2.0.0');
    await isSaid('it is mended', 'edge-1', (node) => node?.config === 'in_sync');
    expect(await find('edge-1')).toMatchObject({ rejected: 0, lastNack: { resources: ['tenant/beta'] } });
  });
});

describe('an Envoy that goes', () => {
  it('is listed as gone since then, and holds no change up', async () => {
    const before = await find('tracker-7');
    const leftAt = Date.now();
    await sidecar.stop();

    await isSaid('it is gone', 'tracker-7', (node) => node?.state === 'gone');
    const gone = await find('tracker-7');
    expect(gone).toMatchObject({
      config: 'unknown',
      connections: 0,
      group: 'sidecar',
      xdsServer: 'xds-server/two',
      acknowledgedSequence: before?.acknowledgedSequence,
    });
    expect(Date.parse(gone?.since ?? '')).toBeGreaterThanOrEqual(leftAt);
    expect(await configOf('tracker-7')).toMatchObject({ config: null, unknownBecause: 'not-connected' });
    expect((await nodes('?state=connected')).items.map(({ id }) => id)).toEqual(['edge-1']);
    const answer = await plane.activate('acme', '2.0.0', '?wait=applied&waitSeconds=20');
    expect([answer.status, answer.headers.get('rollout-state')]).toEqual([200, 'applied']);
  });
});

describe('an Envoy that does not answer', () => {
  const NODE = wireNode('slow/1', { group: 'edge' });
  const compared = async () =>
    (await resourcesOf('slow/1', '?kind=cluster')).map(({ state, wanted, held }) => ({
      state,
      isTheSame: wanted?.version === held?.version,
      by: held?.by,
    }));

  it('is behind until it does, and claims what it had when it comes back', async () => {
    const before = new XdsClient(edge.xdsAddress, 'delta', NODE);
    before.subscribe('cluster');
    const reply = await before.next();
    await isSaid('it is here', 'slow/1', (node) => node?.state === 'connected');
    const count = Object.keys(reply.resources).length;
    const all = (state: object) => Array.from({ length: count }, () => state);
    expect(count).toBeGreaterThan(0);
    expect(await compared()).toEqual(all({ state: 'pending', isTheSame: false }));
    before.ack(reply);
    await until('it is heard', async () => (await compared())[0]?.state === 'in_sync', MAX_MS);
    expect(await compared()).toEqual(all({ state: 'in_sync', isTheSame: true, by: 'acknowledged' }));
    before.close();
    await isSaid('it is gone', 'slow/1', (node) => node?.state === 'gone');
    const after = new XdsClient(edge.xdsAddress, 'delta', NODE);
    after.subscribe('cluster', [], reply.versions);
    await isSaid('it is back', 'slow/1', (node) => node?.state === 'connected');
    expect(await compared()).toEqual(all({ state: 'in_sync', isTheSame: true, by: 'claimed' }));
    after.close();
  });
});
