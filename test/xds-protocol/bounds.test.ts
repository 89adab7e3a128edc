// What an odd or hostile client may not do to the stream or the process: kinds nobody serves, names of any bytes, lists
// without end, messages that are none.

import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProtocolServer, startProtocolServer } from '#test/support/xds-protocol-server.ts';
import type { Protocol } from '#xds-server/stream/conversation.ts';

let server: ProtocolServer;
beforeEach(async () => {
  server = await startProtocolServer();
});
afterEach(() => server.stop());

const ODD_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'a b',
  'a\u0000b',
  'a\nb',
  '../../etc/passwd',
  '💥',
  '\u202Eabc',
  'xdstp://authority/envoy.config.route.v3.RouteConfiguration/x?a=b',
  '%00',
  '*.*',
];

describe.each<Protocol>(['delta', 'sotw'])('bounds over %s', (protocol) => {
  it.each(['type.googleapis.com/envoy.service.runtime.v3.Runtime', '', 'nonsense', '\u0000'])(
    'leaves a kind that is not served without an answer, and the others alone: %j',
    async (type_url) => {
      await server.serve({ route: { r: '1' } });
      const client = server.connect(protocol);
      client.raw({ type_url, resource_names: ['x'], resource_names_subscribe: ['x'] });
      client.subscribe('route', ['r']);
      expect((await client.take('route')).resources).toEqual({ r: '1' });
      expect(await client.finish()).toEqual([]);
    },
  );

  it.each(ODD_NAMES)('takes names for what they are: %j', async (name) => {
    await server.serve({ route: { [name]: '1', other: '1' } });
    const client = server.connect(protocol);
    client.subscribe('route', [name]);
    expect(Object.entries((await client.take('route')).resources)).toEqual([[name, '1']]);
    await server.serve({ route: { [name]: '2', other: '2' } });
    expect(Object.entries((await client.take('route')).resources)).toEqual([[name, '2']]);
    expect(await client.finish()).toEqual([]);
  });

  it.each(ODD_NAMES)('claims and misses names for what they are: %j', async (name) => {
    await server.serve({});
    const client = server.connect(protocol);
    client.subscribe('route', [name], { [name]: '1' });
    const told = await client.finish();
    expect(told.flatMap(({ removed }) => removed)).toEqual(protocol === 'delta' ? [name] : []);
  });

  it('ends a stream that asks for more names than any gateway has, and says so', async () => {
    await server.serve({ endpoint: { e: '1' } });
    const client = server.connect(protocol);
    const names = Array.from({ length: 50_001 }, (_, index) => `name-${index}`);
    client.subscribe('endpoint', names);
    const { code, details } = await client.failure();
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(details).toBe('more than 50000 names of one kind were asked for (endpoint)');
  });

  it('counts names that come little by little', async () => {
    await server.serve({});
    const client = server.connect(protocol);
    for (let part = 0; part < 6; part += 1)
      client.subscribe(
        'endpoint',
        Array.from({ length: 10_000 }, (_, index) => `name-${part}-${index}`),
      );
    expect((await client.failure()).code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it('ends a stream that asks for a name without end', async () => {
    await server.serve({});
    const client = server.connect(protocol);
    client.subscribe('route', ['n'.repeat(1_025)]);
    const { code, details } = await client.failure();
    expect([code, details]).toEqual([
      status.RESOURCE_EXHAUSTED,
      'a name is longer than 1024 characters (route)',
    ]);
  });

  it('serves the others while one is ended', async () => {
    await server.serve({ route: { r: '1' } });
    const good = server.connect(protocol, 'good');
    good.subscribe('route', ['r']);
    await good.take('route');
    const bad = server.connect(protocol, 'bad');
    bad.subscribe('route', ['n'.repeat(2_000)]);
    await bad.failure();
    await server.serve({ route: { r: '2' } });
    expect((await good.take('route')).resources).toEqual({ r: '2' });
    expect(server.ads.nodes().map(({ nodeId }) => nodeId)).toEqual(['good']);
  });

  it('keeps secrets that a refusal quotes to itself', async () => {
    await server.serve({ route: { r: '1' } });
    const client = server.connect(protocol);
    client.subscribe('route', ['r']);
    client.nack(await client.next(), 'r: -----BEGIN PRIVATE KEY-----MIIEvQ-----END PRIVATE KEY----- no');
    await server.serve({ route: { r: '1' } });
    expect(server.ads.nodes()[0]?.rejected[0]?.message).toBe('r: [redacted] no');
  });
});
