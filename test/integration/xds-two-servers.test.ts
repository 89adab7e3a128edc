// Two xds-servers that are not equally far, and one Envoy that may come to either: it never goes back.

import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '#core/json.ts';
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

const SECOND = 'y.sock';

/** A second address of xds-server beside the first, as a name of two addresses has them. */
const withSecondServer = (bootstrap: JsonObject): JsonObject => {
  const resources = bootstrap['static_resources'] as { clusters: JsonObject[] };
  const amend = (cluster: JsonObject): JsonObject => {
    if (cluster['name'] !== 'xds-server') return cluster;
    const text = JSON.stringify(cluster['load_assignment']);
    const load = JSON.parse(text) as { endpoints: { lb_endpoints: Json[] }[] };
    const [first] = load.endpoints[0]?.lb_endpoints ?? [];
    const second = JSON.parse(JSON.stringify(first).replace('x.sock', SECOND)) as Json;
    load.endpoints[0]?.lb_endpoints.push(second);
    return { ...cluster, load_assignment: load as unknown as Json };
  };
  return { ...bootstrap, static_resources: { ...resources, clusters: resources.clusters.map(amend) } };
};

let gateway: Gateway;
let old: Upstream;
let fresh: Upstream;
let servers: XdsServer[];

const start = async (name: string, isCurrent: () => boolean): Promise<XdsServer> => {
  const { directory, settings } = gateway;
  const address = { kind: 'unix' as const, path: join(directory, name) };
  const server = await startXdsServer({ address, settings, isCurrent });
  servers.push(server);
  return server;
};

/** What publication `sequence` says: up to 4 the server is at its old place, later at its new one. */
const world = (sequence: number) =>
  snapshotOf(sequence, tenantOf('acme', { one: { '1.0.0': [(sequence > 4 ? fresh : old).url] } }));

const upstreamOf = async (): Promise<string> =>
  (await httpCall(gateway.origin, '/t/acme/mcp/one')).text.replace(/.*"upstream":"(\w+)".*/, '$1');
const leadsTo = (name: string) =>
  until(`calls reach ${name}`, async () => (await upstreamOf().catch(() => '')) === name, 20_000);
const settled = (server: XdsServer, sequence: number) =>
  until(`${sequence} is settled`, () => server.ads.nodes()[0]?.acknowledgedSequence === sequence, 30_000);
const isHere = (server: XdsServer) => until('Envoy is here', () => server.ads.nodes().length === 1, 30_000);

/** Calls all the while until `stop`; every upstream that answered, and every failure. */
const callAllTheWhile = () => {
  const seen = new Set<string>();
  let isOver = false;
  const calls = (async () => {
    while (!isOver) seen.add(await upstreamOf().catch((error) => String(error)));
  })();
  return async (): Promise<readonly string[]> => {
    isOver = true;
    await calls;
    return [...seen];
  };
};

beforeEach(async () => {
  servers = [];
  [old, fresh] = await Promise.all([startUpstream('old'), startUpstream('fresh', '/fresh')]);
});
afterEach(async () => {
  for (const server of servers) await server.stop();
  await gateway?.stop();
  await Promise.all([old.stop(), fresh.stop()]);
});

describe.each(['DELTA_GRPC', 'GRPC'] as const)('an Envoy over %s', (apiType) => {
  it('that comes to an xds-server which is behind stays where it is, and goes on once that has caught up', async () => {
    gateway = await startGateway({ apiType });
    const ahead = await start('x.sock', () => true);
    ahead.update(world(5));
    await settled(ahead, 5);
    await leadsTo('fresh');
    const stopCalls = callAllTheWhile();
    await ahead.stop();
    const behind = await start('x.sock', () => false);
    behind.update(world(4));
    await isHere(behind);
    await until('it is sent away', async () =>
      /xds_behind_total\{[^}]*\} [1-9]/.test((await behind.metrics.render()).body),
    );
    await isHere(behind);
    const held = await gateway.admin('/config_dump?resource=dynamic_active_clusters');
    expect(/"version_info": "(\w+@|)5[."]/.test(held)).toBe(true);
    behind.update(world(5));
    await settled(behind, 5);
    expect(await stopCalls()).toEqual(['fresh']);
    behind.update(snapshotOf(6, tenantOf('acme', { one: { '1.0.0': [old.url] } })));
    await settled(behind, 6);
    await leadsTo('old');
  }, 90_000);
});

describe('an Envoy with two xds-servers', () => {
  it('leaves the one that is behind for the one that is not', async () => {
    gateway = await startGateway({ amend: withSecondServer });
    const behind = await start(SECOND, () => false);
    behind.update(world(4));
    await settled(behind, 4);
    await leadsTo('old');
    const ahead = await start('x.sock', () => true);
    ahead.update(world(5));
    // Which of the two it comes to is chance, and so far neither is behind what it has.
    const moved = (): boolean => {
      if (behind.ads.nodes().length > 0) behind.ads.endStreams();
      return ahead.ads.nodes().length > 0;
    };
    await until('Envoy is with the one ahead', moved, 30_000);
    await settled(ahead, 5);
    await leadsTo('fresh');
    const stopCalls = callAllTheWhile();
    for (let round = 0; round < 3; round += 1) {
      ahead.ads.endStreams();
      await until('it is away', () => ahead.ads.nodes().length === 0);
      await settled(ahead, 5);
    }
    expect(await stopCalls()).toEqual(['fresh']);
    ahead.update(snapshotOf(6, tenantOf('acme', { one: { '1.0.0': [old.url] } })));
    await leadsTo('old');
  }, 120_000);

  it('goes back where the registry itself went back', async () => {
    gateway = await startGateway();
    const first = await start('x.sock', () => true);
    first.update(world(5));
    await settled(first, 5);
    await leadsTo('fresh');
    await first.stop();
    const second = await start('x.sock', () => true);
    second.update(world(4));
    await settled(second, 4);
    await leadsTo('old');
  }, 60_000);
});
