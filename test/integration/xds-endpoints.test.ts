// What endpoint URLs resolve to, on the real Envoy: addresses, names with several, names with none, and names that move
// under open streams.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import { httpCall, openStream } from '#test/support/http-call.ts';
import { answeredBy, spread } from '#test/support/xds-calls.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

/** All of 127/8 is this machine, so that one port can be several replicas. */
const names = new Map<string, readonly string[]>([
  ['one.example', ['127.0.0.1']],
  ['many.example', ['127.0.0.1', '127.0.0.2', '127.0.0.3']],
  ['moving.example', ['127.0.0.1']],
]);

let gateway: Gateway;
let xds: XdsServer;
let upstream: Upstream;

const named = (host: string): string => upstream.url.replace('127.0.0.1', host);
const cluster = (server: string) => `mcp.default.${server}.1.0.0`;

/** Addresses Envoy has for a server. */
const known = async (server: string): Promise<readonly string[]> => {
  const text = await gateway.admin('/clusters');
  const lines = text.matchAll(new RegExp(`^${cluster(server)}::([\\d.]+):\\d+::cx_active`, 'gm'));
  return [...lines].map(([, address = '']) => address).sort();
};

beforeAll(async () => {
  upstream = await startUpstream('up', '/mcp', 'http', '0.0.0.0');
  gateway = await startGateway();
  xds = await startXdsServer({
    address: gateway.xdsAddress,
    settings: gateway.settings,
    resolve: async (url) => {
      const { hostname, port } = new URL(url);
      const addresses = /^[\d.]+$/.test(hostname) ? [hostname] : names.get(hostname);
      return addresses === undefined ? err('there is no such name') : ok({ addresses, port: Number(port) });
    },
  });
  const servers = {
    address: { '1.0.0': [named('127.0.0.2')] },
    many: { '1.0.0': [named('many.example')] },
    nowhere: { '1.0.0': [named('nowhere.example')] },
    half: { '1.0.0': [named('nowhere.example'), named('one.example')] },
    moving: { '1.0.0': [named('moving.example')] },
  };
  xds.update(snapshotOf(1, tenantOf('default', servers)));
  await until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === 1);
  await until('served', async () => (await answeredBy(gateway, 'address')) === 'up');
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await upstream?.stop();
});

describe('an endpoint', () => {
  it('may be an address', async () => {
    expect(await known('address')).toEqual(['127.0.0.2']);
    expect(await spread(gateway, 'address', 3)).toEqual({ up: 3 });
  });

  it('may be a name of several addresses, which are replicas of their own', async () => {
    expect(await known('many')).toEqual(['127.0.0.1', '127.0.0.2', '127.0.0.3']);
    expect(await spread(gateway, 'many', 9)).toEqual({ up: 9 });
  });

  it('that resolves to nothing is answered for by name, and served from the moment it resolves', async () => {
    const { status, text } = await httpCall(gateway.origin, '/mcp/nowhere');
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ jsonrpc: '2.0', error: { data: { server: 'nowhere' } } });
    names.set('nowhere.example', ['127.0.0.4']);
    await until('served', async () => (await answeredBy(gateway, 'nowhere')) === 'up');
    names.delete('nowhere.example');
  });

  it('that resolves to nothing leaves the others of its server alone', async () => {
    expect(await spread(gateway, 'half', 6)).toEqual({ up: 6 });
  });

  it('that moves takes calls with it and cuts no open stream; what is lost from DNS stays where it was', async () => {
    const stream = await openStream(gateway.origin, '/mcp/moving');
    names.set('moving.example', ['127.0.0.5']);
    await until('moved', async () => (await known('moving')).includes('127.0.0.5'));
    expect(await spread(gateway, 'moving', 3)).toEqual({ up: 3 });
    names.delete('moving.example');
    const heard = stream.events();
    await until('the stream goes on', () => stream.events() > heard + 10);
    expect(stream.isOpen()).toBe(true);
    stream.close();
    expect(await spread(gateway, 'moving', 3)).toEqual({ up: 3 });
    await until('the old address is gone', async () => (await known('moving')).join() === '127.0.0.5');
  });
});
