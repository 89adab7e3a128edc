// Make before break, with the client's answers as the gate ("eventual consistency considerations", "resource warming"),
// and refusals that stay with the resource they are about. The client behaves like Envoy: it asks for endpoints of the
// clusters and routes of the scopes it has.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Reply, XdsClient } from '#test/support/xds-client.ts';
import {
  type MarkedResource,
  type MarkedWorld,
  type ProtocolServer,
  startProtocolServer,
} from '#test/support/xds-protocol-server.ts';
import type { Protocol } from '#xds-server/stream/conversation.ts';

let server: ProtocolServer;
beforeEach(async () => {
  server = await startProtocolServer();
});
afterEach(() => server.stop());

/** A tenant with one cluster of its name. */
type TenantMarks = { readonly cluster: string; readonly endpoint?: string; readonly route?: string };

const worldOf = (tenants: Readonly<Record<string, TenantMarks>>): MarkedWorld => {
  const each = (make: (id: string, marks: TenantMarks) => string | MarkedResource) =>
    Object.fromEntries(Object.entries(tenants).map(([id, marks]) => [id, make(id, marks)]));
  return {
    cluster: each((id, { cluster }) => ({ mark: cluster, tenantId: id, needs: id })),
    endpoint: each((id, { endpoint = 'e' }) => ({ mark: endpoint, tenantId: id })),
    listener: { gateway: 'l' },
    scope: each((id) => ({ mark: id, tenantId: id, needs: id })),
    route: each((id, { route = 'r' }) => ({ mark: route, tenantId: id })),
  };
};

/** What a step looks like in a table: kind, what came, what went. */
const brief = ({ kind, resources, removed }: Reply): string =>
  [
    kind,
    ...Object.entries(resources).map(([name, mark]) => `${name}=${mark}`),
    ...removed.map((n) => `-${n}`),
  ].join(' ');

/** Asks for everything there is, and has it, tenant by tenant in the order of names. */
const settle = async (client: XdsClient, tenants: Readonly<Record<string, TenantMarks>>): Promise<void> => {
  const names = Object.keys(tenants);
  for (const kind of ['cluster', 'listener', 'scope'] as const) client.subscribe(kind, ['*']);
  for (const kind of ['endpoint', 'route'] as const) client.subscribe(kind, names);
  const { sequence } = await server.serve(worldOf(tenants));
  while (server.ads.nodes()[0]?.acknowledgedSequence !== sequence) {
    for (const reply of client.drain()) client.ack(reply);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

/** Everything that is told, each answered as `judge` says, until nothing more comes. */
const hearOut = async (client: XdsClient, sequence: number, judge: (reply: Reply) => string | undefined) => {
  const heard: string[] = [];
  while (server.ads.nodes()[0]?.acknowledgedSequence !== sequence) {
    for (const reply of client.drain()) {
      heard.push(brief(reply));
      const refusal = judge(reply);
      if (refusal === undefined) client.ack(reply);
      else client.nack(reply, refusal);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return heard;
};

const takes = () => undefined;

describe.each<Protocol>(['delta', 'sotw'])('the order over %s', (protocol) => {
  const isDelta = protocol === 'delta';

  it('tells clusters and endpoints first, and routes only when both are answered for', async () => {
    const client = server.connect(protocol);
    await settle(client, { a: { cluster: '1' } });
    await server.serve(worldOf({ a: { cluster: '2', endpoint: 'f', route: 's' } }));
    const clusters = await client.next();
    const endpoints = await client.next();
    expect([clusters, endpoints].map(brief)).toEqual(['cluster a=2', 'endpoint a=f']);
    client.ack(endpoints);
    await server.serve(worldOf({ a: { cluster: '2', endpoint: 'f', route: 't' } }));
    expect(client.drain()).toEqual([]);
    client.ack(clusters);
    expect(brief(await client.take('route'))).toBe('route a=t');
    expect(await client.finish()).toEqual([]);
  });

  it('warms a changed cluster with its endpoints, although they are the same', async () => {
    const client = server.connect(protocol);
    await settle(client, { a: { cluster: '1' }, b: { cluster: '1' } });
    await server.serve(worldOf({ a: { cluster: '2' }, b: { cluster: '1' } }));
    expect(brief(await client.next())).toBe(isDelta ? 'cluster a=2' : 'cluster a=2 b=1');
    expect(brief(await client.next())).toBe('endpoint a=e');
    expect(await client.finish()).toEqual([]);
  });

  it('brings a new tenant: clusters, then endpoints once asked for, then the scope, then routes once asked for', async () => {
    const client = server.connect(protocol);
    await settle(client, { a: { cluster: '1' } });
    const { sequence } = await server.serve(worldOf({ a: { cluster: '1' }, b: { cluster: '1' } }));
    const asking = (reply: Reply) => {
      if (reply.kind === 'cluster') client.subscribe('endpoint', ['b']);
      if (reply.kind === 'scope') client.subscribe('route', ['b']);
      return undefined;
    };
    expect(await hearOut(client, sequence, asking)).toEqual(
      isDelta
        ? ['cluster b=1', 'endpoint b=e', 'scope b=b', 'route b=r']
        : ['cluster a=1 b=1', 'endpoint b=e', 'scope a=a b=b', 'route b=r'],
    );
  });

  it('takes a tenant away in the opposite order, and changes of others come first', async () => {
    const client = server.connect(protocol);
    await settle(client, { a: { cluster: '1' }, b: { cluster: '1' } });
    const { sequence } = await server.serve(worldOf({ a: { cluster: '1', route: 's' } }));
    expect(await hearOut(client, sequence, takes)).toEqual(
      isDelta
        ? ['route a=s', 'scope -b', 'route -b', 'cluster -b', 'endpoint -b']
        : ['route a=s', 'scope a=a', 'cluster a=1'],
    );
  });

  it('does not take a cluster away before the routes are answered for', async () => {
    const client = server.connect(protocol);
    const world = (cluster: Record<string, string>, mark: string): MarkedWorld => ({
      cluster,
      route: { r: mark },
    });
    client.subscribe('cluster', ['*']);
    client.subscribe('route', ['r']);
    await server.serve(world({ old: '1', new: '1' }, 'to old'));
    await client.take('cluster');
    await client.take('route');
    await server.serve(world({ new: '1' }, 'to new'));
    const routes = await client.next();
    expect(brief(routes)).toBe('route r=to new');
    await server.serve(world({ new: '1' }, 'to new'));
    expect(client.drain()).toEqual([]);
    client.ack(routes);
    expect(brief(await client.next())).toBe(isDelta ? 'cluster -old' : 'cluster new=1');
  });

  it('keeps what is to go in the state of the world until its turn', async () => {
    const client = server.connect(protocol);
    client.subscribe('cluster', ['*']);
    client.subscribe('route', ['r']);
    await server.serve({ cluster: { old: '1' }, route: { r: 'to old' } });
    await client.take('cluster');
    await client.take('route');
    const { sequence } = await server.serve({ cluster: { new: '1' }, route: { r: 'to new' } });
    // Asked for everything, so that it can settle.
    for (const kind of ['listener', 'scope'] as const) client.subscribe(kind, ['*']);
    const heard = await hearOut(client, sequence, takes);
    expect(heard.filter((line) => /cluster|route/.test(line))).toEqual(
      isDelta
        ? ['cluster new=1', 'route r=to new', 'cluster -old']
        : ['cluster new=1 old=1', 'route r=to new', 'cluster new=1'],
    );
  });

  it('finds the bad cluster among many, keeps its last good one, and lets all others through', async () => {
    const client = server.connect(protocol);
    const tenants = (mark: string, bad: string) =>
      Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, { cluster: id === 'c' ? bad : mark }]));
    await settle(client, tenants('1', '1'));
    const { sequence } = await server.serve(worldOf(tenants('2', 'bad')));
    const judge = ({ resources }: Reply) =>
      resources['c'] === 'bad' ? 'cluster c: no such thing' : undefined;
    const heard = await hearOut(client, sequence, judge);
    const clusters = heard.filter((line) => line.startsWith('cluster'));
    expect(clusters).toEqual(
      isDelta
        ? ['cluster a=2 b=2 c=bad d=2', 'cluster a=2', 'cluster b=2', 'cluster c=bad', 'cluster d=2']
        : ['cluster a=2 b=2 c=bad d=2', 'cluster a=2 b=2 c=1 d=2'],
    );
    expect(server.ads.nodes()[0]?.rejected).toMatchObject([
      { resource: 'c', tenantId: 'c', message: 'cluster c: no such thing' },
    ]);
  });

  it('finds the bad routes among many', async () => {
    const client = server.connect(protocol);
    const tenants = (mark: string, bad: string) =>
      Object.fromEntries(['a', 'b', 'c'].map((id) => [id, { cluster: '1', route: id === 'b' ? bad : mark }]));
    await settle(client, tenants('r', 'r'));
    const { sequence } = await server.serve(worldOf(tenants('s', 'bad')));
    const judge = ({ resources }: Reply) => (resources['b'] === 'bad' ? 'no' : undefined);
    expect(await hearOut(client, sequence, judge)).toEqual(['route a=s', 'route b=bad', 'route c=s']);
    expect(server.ads.nodes()[0]?.rejected).toMatchObject([{ resource: 'b', tenantId: 'b' }]);
  });

  it('sends a refused resource again when it has become another', async () => {
    const client = server.connect(protocol);
    await settle(client, { a: { cluster: '1' }, b: { cluster: '1' } });
    const bad = await server.serve(worldOf({ a: { cluster: 'bad' }, b: { cluster: '1' } }));
    await hearOut(client, bad.sequence, ({ resources }) => (resources['a'] === 'bad' ? 'a: no' : undefined));
    const good = await server.serve(worldOf({ a: { cluster: '3' }, b: { cluster: '1' } }));
    expect(await hearOut(client, good.sequence, takes)).toEqual(
      isDelta ? ['cluster a=3', 'endpoint a=e'] : ['cluster a=3 b=1', 'endpoint a=e'],
    );
    expect(server.ads.nodes()[0]?.rejected).toEqual([]);
  });
});
