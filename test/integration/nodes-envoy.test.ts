// GET /v1/nodes on real Envoys: an edge and a sidecar with what each is, what one refuses, and one that goes.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, spoilRoutes, startControlPlane } from '#test/support/control-plane.ts';
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
    expect((await nodes('?state=connected')).items.map(({ id }) => id)).toEqual(['edge-1']);
    const answer = await plane.activate('acme', '2.0.0', '?wait=applied&waitSeconds=20');
    expect([answer.status, answer.headers.get('rollout-state')]).toEqual([200, 'applied']);
  });
});
