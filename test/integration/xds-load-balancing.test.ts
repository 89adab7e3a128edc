// Each way to choose a replica, on the real Envoy in front of real servers: how calls spread, what keeps them together,
// and that the replica of a session comes before all of it.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UpstreamSettings } from '#core/upstream-settings.ts';
import { httpCall } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf, withUpstreams } from '#test/support/xds-world.ts';

const SETTINGS: Readonly<Record<string, UpstreamSettings>> = {
  'in-turn': { loadBalancing: { policy: 'round-robin' } },
  least: { loadBalancing: { policy: 'least-request' } },
  fastest: { loadBalancing: { policy: 'least-latency' } },
  ring: { loadBalancing: { policy: 'ring-hash', hashOn: 'principal' } },
  maglev: { loadBalancing: { policy: 'maglev', hashOn: 'session' } },
  project: { loadBalancing: { policy: 'maglev', hashOn: { header: 'x-project' } } },
};

let gateway: Gateway;
let xds: XdsServer;
let upstreams: Upstream[];
const weights = new Map<string, number>();
let sequence = 0;

const hostOf = ({ url }: Upstream): string => new URL(url).host;

/** Every server on the first so many replicas. */
const serve = async (replicas: number): Promise<void> => {
  sequence += 1;
  const urls = upstreams.slice(0, replicas).map(({ url }) => url);
  const servers = Object.fromEntries(Object.keys(SETTINGS).map((id) => [id, { '1.0.0': urls }]));
  xds.update(snapshotOf(sequence, withUpstreams(tenantOf('default', servers), SETTINGS)));
  await until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === sequence);
};

const calledBy = async (server: string, headers: Readonly<Record<string, string>> = {}): Promise<string> => {
  const { status, text } = await httpCall(gateway.origin, `/mcp/${server}`, { headers });
  expect(status).toBe(200);
  return String(JSON.parse(text)['upstream']);
};

/** How many of so many calls each replica got. */
const spread = async (server: string, calls: number): Promise<Readonly<Record<string, number>>> => {
  const counts: Record<string, number> = {};
  for (let call = 0; call < calls; call += 1) {
    const name = await calledBy(server);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

const KEYS = Array.from({ length: 120 }, (_, index) => `key-${index}`);

/** The replica of each key, which ext-authz or the client names. */
const placesOf = async (server: string): Promise<readonly string[]> => {
  const places: string[] = [];
  for (const key of KEYS) {
    gateway.decide(() => ({ version: '1.0.0', headers: { 'x-mcpgw-hash': key } }));
    places.push(await calledBy(server, { 'x-project': key }));
  }
  gateway.decide(() => ({ version: '1.0.0' }));
  return places;
};

beforeAll(async () => {
  upstreams = await Promise.all(['one', 'two', 'three', 'four'].map((name) => startUpstream(name)));
  gateway = await startGateway();
  xds = await startXdsServer({
    address: gateway.xdsAddress,
    settings: gateway.settings,
    weightOf: (_cluster, address) => weights.get(address),
  });
  await serve(3);
  await until('Envoy listens', async () =>
    httpCall(gateway.origin, '/mcp/least').then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
});

describe('a policy', () => {
  it('takes replicas in turn', async () => {
    expect(await spread('in-turn', 30)).toEqual({ one: 10, two: 10, three: 10 });
  });

  it('spreads over all of them by least request', async () => {
    const counts = await spread('least', 90);
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(10);
  });

  it('goes by measured weights, from the moment they are known', async () => {
    expect(await spread('fastest', 30)).toEqual({ one: 10, two: 10, three: 10 });
    for (const [index, upstream] of upstreams.entries()) weights.set(hostOf(upstream), index === 0 ? 8 : 80);
    xds.refresh();
    await until('weighed', async () =>
      /mcp\.default\.fastest\.1\.0\.0::.*::weight::8\n/.test(await gateway.admin('/clusters')),
    );
    const { one = 0 } = await spread('fastest', 105);
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThanOrEqual(7);
    expect(await spread('in-turn', 30)).toEqual({ one: 10, two: 10, three: 10 });
  });

  it.each(['ring', 'maglev', 'project'])('keeps one key on one replica (%s)', async (server) => {
    const places = await placesOf(server);
    expect(await placesOf(server)).toEqual(places);
    expect(new Set(places).size).toBe(3);
  });

  it.each(['ring', 'maglev', 'project'])('moves a part of the keys to a new replica (%s)', async (server) => {
    const before = await placesOf(server);
    await serve(4);
    await until('spread', async () => (await placesOf(server)).includes('four'));
    const after = await placesOf(server);
    const moved = after.filter((place, index) => place !== before[index]);
    expect(moved.length).toBeGreaterThan(0);
    expect(moved.length).toBeLessThan(KEYS.length * 0.6);
    await serve(3);
    await until('gone', async () => !(await placesOf(server)).includes('four'));
    expect(await placesOf(server)).toEqual(before);
  });
});

describe.each(Object.keys(SETTINGS))('the replica of a session (%s)', (server) => {
  it('gets all of its calls', async () => {
    for (const upstream of upstreams.slice(0, 3)) {
      const headers = { 'x-mcpgw-host': hostOf(upstream), 'x-mcpgw-hash': 'key' };
      gateway.decide(() => ({ version: '1.0.0', headers }));
      for (let call = 0; call < 6; call += 1) expect(await calledBy(server)).toBe(upstream.name);
      expect(Object.keys(upstream.seen.at(-1)?.headers ?? {}).join()).not.toContain('mcpgw');
    }
  });

  it('is not named by a client', async () => {
    gateway.decide(() => ({ version: '1.0.0' }));
    const names = new Set<string>();
    const host = hostOf(upstreams[0] as Upstream);
    for (let call = 0; call < 30; call += 1)
      names.add(await calledBy(server, { 'X-MCPGW-Host': host, 'x-project': `key-${call}` }));
    expect(names.size).toBe(3);
  });

  it('is replaced by any other once it is gone', async () => {
    const host = hostOf(upstreams[3] as Upstream);
    gateway.decide(() => ({ version: '1.0.0', headers: { 'x-mcpgw-host': host } }));
    for (let call = 0; call < 3; call += 1) expect(await calledBy(server)).not.toBe('four');
  });
});
