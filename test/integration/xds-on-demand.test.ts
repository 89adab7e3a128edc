// An Envoy that gets a cluster with the first call that needs it: what it holds is what is called, and a change, a refusal
// or a control plane that is away does no more to it than to the others.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packMessage } from '#protos/pack.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { httpCall, openStream } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf, withUpstreams } from '#test/support/xds-world.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';

const SERVERS = Array.from({ length: 40 }, (_, index) => `s${index}`);
/** Our own services. */
const STATIC = 4;

let gateway: Gateway;
let xds: XdsServer;
let one: Upstream;
let two: Upstream;
let sequence = 0;
let tamper = (snapshot: ResourceSnapshot): ResourceSnapshot => snapshot;

const start = async (): Promise<void> => {
  const { xdsAddress: address, settings } = gateway;
  xds = await startXdsServer({ address, settings, tamper: (snapshot) => tamper(snapshot) });
};
const publish = (versions: Readonly<Record<string, Upstream>>): void => {
  const urls = Object.fromEntries(Object.entries(versions).map(([version, { url }]) => [version, [url]]));
  sequence += 1;
  xds.update(snapshotOf(sequence, tenantOf('acme', Object.fromEntries(SERVERS.map((id) => [id, urls])))));
};
const settled = () => until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === sequence, 20_000);
const call = async (server: string, body = '{}'): Promise<string> => {
  const { status, text } = await httpCall(gateway.origin, `/t/acme/mcp/${server}`, { body });
  return status === 200 ? text.replace(/.*"upstream":"(\w+)".*/, '$1') : String(status);
};
const clusters = async (): Promise<number> =>
  Number(/: (\d+)/.exec(await gateway.admin('/stats?filter=^cluster_manager.active_clusters$'))?.[1]) -
  STATIC;

beforeAll(async () => {
  [one, two] = await Promise.all([startUpstream('one'), startUpstream('two', '/two')]);
  gateway = await startGateway({
    bootstrap: { node: { group: 'edge', servers: [], region: '', clustersOnDemand: true } },
  });
  await start();
  publish({ '1.0.0': one });
  await settled();
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await Promise.all([one?.stop(), two?.stop()]);
});

describe('clusters on demand', () => {
  it('are not there before anybody calls, and Envoy has acknowledged everything all the same', async () => {
    expect(await clusters()).toBe(0);
  });

  it('come with the first call, whatever it is, once for all that wait', async () => {
    expect(await call('s0')).toBe('one');
    expect(await clusters()).toBe(1);
    expect(await call('s1', `{"a":"${'x'.repeat(1_000_000)}"}`)).toBe('one');
    const stream = await openStream(gateway.origin, '/t/acme/mcp/s2');
    expect(stream.isOpen()).toBe(true);
    stream.close();
    const together = await Promise.all(Array.from({ length: 10 }, () => call('s3')));
    expect(new Set(together)).toEqual(new Set(['one']));
    expect(await clusters()).toBe(4);
  });

  it('are not loaded by a call that is refused', async () => {
    gateway.decide(() => ({ status: 403, body: '{}' }));
    expect(await call('s9')).toBe('403');
    gateway.decide(() => ({ version: '9.9.9' }));
    expect(await call('s9')).toBe('503');
    gateway.decide(() => ({ version: '1.0.0' }));
    expect(await clusters()).toBe(4);
  });

  it('are made before what they replace is broken, and go with their version', async () => {
    publish({ '1.0.0': one, '2.0.0': two });
    await settled();
    expect(await call('s0')).toBe('one');
    gateway.decide(() => ({ version: '2.0.0' }));
    expect([await call('s0'), await call('s20')]).toEqual(['two', 'two']);
    expect(await clusters()).toBe(6);
    publish({ '2.0.0': two });
    await settled();
    await until('what is gone is gone', async () => (await clusters()) === 2);
    expect([await call('s0'), await call('s20')]).toEqual(['two', 'two']);
  });

  it('that are there serve while xds-server is away; others are refused in words, and come when it is back', async () => {
    await xds.stop();
    expect(await call('s0')).toBe('two');
    const { status, text } = await httpCall(gateway.origin, '/t/acme/mcp/s30');
    expect([status, JSON.parse(text).error.data]).toMatchObject([
      503,
      { reason: 'version_unavailable', tenant: 'acme', server: 's30' },
    ]);
    await start();
    publish({ '2.0.0': two });
    await settled();
    await until('the refused one is served', async () => (await call('s30')) === 'two', 20_000);
    expect([await call('s31'), await call('s0')]).toEqual(['two', 'two']);
  });

  it('of a server that is asked how it is come once each replica was asked, and are not called where they are unwell', async () => {
    const hanging = createServer().listen(0, '127.0.0.1');
    await once(hanging, 'listening');
    const { port } = hanging.address() as AddressInfo;
    const tenant = tenantOf('checked', { s: { '1.0.0': [one.url, `http://127.0.0.1:${port}/mcp`] } });
    const settings = { health: { kind: 'ping', intervalMs: 1_000, timeoutMs: 2_000 } } as const;
    sequence += 1;
    xds.update(snapshotOf(sequence, withUpstreams(tenant, { s: settings })));
    await settled();
    gateway.decide(() => ({ version: '1.0.0' }));
    expect((await httpCall(gateway.origin, '/t/checked/mcp/s')).status).toBe(200);
    hanging.close();
  });

  it('that Envoy refuses harm nobody else, and come once they are right', async () => {
    tamper = (snapshot) => {
      const name = 'mcp.acme.s35.3.0.0';
      const cluster = snapshot.kinds.cluster.get(name);
      if (cluster === undefined) return snapshot;
      const any = packMessage(typedMessage('envoy.config.cluster.v3.Cluster', { name, type: 'EDS' }));
      const spoiled = new Map([...snapshot.kinds.cluster, [name, { ...cluster, version: 'spoiled', any }]]);
      return { ...snapshot, kinds: { ...snapshot.kinds, cluster: spoiled } };
    };
    publish({ '2.0.0': two, '3.0.0': one });
    await settled();
    gateway.decide(() => ({ version: '3.0.0' }));
    expect(await call('s35')).toBe('503');
    expect([await call('s36'), await call('s0')]).toEqual(['one', 'one']);
    expect(xds.ads.nodes()[0]?.rejected).toMatchObject([
      { resource: 'mcp.acme.s35.3.0.0', tenantId: 'acme' },
    ]);
    tamper = (snapshot) => snapshot;
    publish({ '2.0.0': two, '3.0.0': one });
    await until('it is served', async () => (await call('s35')) === 'one', 20_000);
  });
});
