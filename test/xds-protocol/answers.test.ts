// The xDS protocol's rules on what a client answers: ACK, NACK, versions, nonces. Row by row over real gRPC, each row
// named by its rule ("ACK/NACK and resource type instance version", "resource updates", "incremental xDS").

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { XdsClient } from '#test/support/xds-client.ts';
import { type ProtocolServer, startProtocolServer } from '#test/support/xds-protocol-server.ts';
import type { Protocol } from '#xds-server/stream/conversation.ts';

let server: ProtocolServer;
beforeEach(async () => {
  server = await startProtocolServer();
});
afterEach(() => server.stop());

type Row = readonly [rule: string, script: (client: XdsClient) => Promise<void>];

const rejected = () => server.ads.nodes()[0]?.rejected ?? [];

const BOTH: readonly Row[] = [
  [
    'an ACK settles: nothing is sent again until something changes',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      client.subscribe('route', ['r']);
      await client.take('route');
      await server.serve({ route: { r: '1' } });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'the version of a kind changes with every change of one of its resources, and of no other kind',
    async (client) => {
      await server.serve({ route: { r: '1' }, cluster: { a: '1' } });
      client.subscribe('route', ['r']);
      const first = await client.take('route');
      await server.serve({ route: { r: '2' }, cluster: { a: '1' } });
      const second = await client.take('route');
      expect(second.version).not.toBe(first.version);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a NACK is told by error_detail: the refused version is not sent again, a newer one is',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      client.subscribe('route', ['r']);
      await client.take('route');
      await server.serve({ route: { r: 'bad' } });
      client.nack(await client.next(), 'route r: no such thing');
      await server.serve({ route: { r: 'bad' } });
      expect(rejected()).toMatchObject([{ resource: 'r', message: 'route r: no such thing' }]);
      await server.serve({ route: { r: '3' } });
      expect((await client.take('route')).resources).toEqual({ r: '3' });
      await server.serve({ route: { r: '3' } });
      expect(rejected()).toEqual([]);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a NACK may come with other names: what is newly asked for is answered',
    async (client) => {
      await server.serve({ route: { bad: '1', good: '1' } });
      client.subscribe('route', ['bad']);
      client.nack(await client.next());
      client.subscribe('route', ['good']);
      expect((await client.take('route')).resources).toEqual({ good: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'error_detail without a nonce refuses nothing: there is no response it could mean',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      const error_detail = { code: 13, message: 'no' };
      client.say('route', { resource_names_subscribe: ['r'], resource_names: ['r'], error_detail });
      expect((await client.next()).resources).toEqual({ r: '1' });
      expect(rejected()).toEqual([]);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a nonce is of one stream: in a first request it is no answer, and the request is heard',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      client.say('route', {
        resource_names_subscribe: ['r'],
        resource_names: ['r'],
        response_nonce: '1',
        error_detail: { code: 13, message: 'no' },
      });
      expect((await client.next()).resources).toEqual({ r: '1' });
      expect(rejected()).toEqual([]);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'nonces are never used twice, neither in a stream nor by the next one',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      const again = server.connect(client.protocol);
      const nonces: string[] = [];
      for (const each of [client, again]) {
        each.subscribe('route', ['r']);
        nonces.push((await each.take('route')).nonce);
      }
      await server.serve({ route: { r: '2' } });
      for (const each of [client, again]) nonces.push((await each.take('route')).nonce);
      expect(new Set(nonces).size).toBe(4);
    },
  ],
  [
    'an answer to a response of an earlier stream acknowledges nothing',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      client.subscribe('route', ['r']);
      const earlier = await client.next();
      const again = server.connect(client.protocol);
      again.subscribe('route', ['r']);
      const response = await again.next();
      again.ack(earlier);
      await server.serve({ route: { r: '2' } });
      expect(server.ads.clients()[1]?.resources[0]).toMatchObject({ configStatus: 'STALE' });
      again.ack(response);
      expect((await again.take('route')).resources).toEqual({ r: '2' });
      expect(await again.finish()).toEqual([]);
    },
  ],
  [
    'a response is not followed by another of its kind before it is answered',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      client.subscribe('route', ['r']);
      const first = await client.next();
      for (const mark of ['2', '3', '4']) await server.serve({ route: { r: mark } });
      client.ack(first);
      expect((await client.take('route')).resources).toEqual({ r: '4' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'the nonce of one kind answers nothing of another',
    async (client) => {
      await server.serve({ route: { r: '1' }, endpoint: { e: '1' } });
      client.subscribe('route', ['r']);
      const routes = await client.next();
      client.ack({ ...routes, kind: 'endpoint' });
      await server.serve({ route: { r: '2' }, endpoint: { e: '1' } });
      client.ack(routes);
      expect((await client.take('route')).resources).toEqual({ r: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'only the first message needs to carry the node, and a later one does not change it',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      client.subscribe('route', ['r']);
      await client.take('route');
      client.say('route', { node: { id: 'somebody else' }, resource_names: ['r'] });
      await server.serve({ route: { r: '1' } });
      expect(server.ads.nodes().map(({ nodeId }) => nodeId)).toEqual(['client']);
    },
  ],
];

const DELTA: readonly Row[] = [
  [
    'a request with a stale nonce changes the subscription all the same',
    async (client) => {
      await server.serve({ route: { a: '1', b: '1' } });
      client.subscribe('route', ['a']);
      const first = await client.take('route');
      await server.serve({ route: { a: '2', b: '1' } });
      await client.take('route');
      client.say('route', { response_nonce: first.nonce, resource_names_subscribe: ['b'] });
      expect((await client.take('route')).resources).toEqual({ b: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a stale NACK refuses nothing',
    async (client) => {
      await server.serve({ route: { a: '1' } });
      client.subscribe('route', ['a']);
      const first = await client.take('route');
      await server.serve({ route: { a: '2' } });
      await client.take('route');
      client.nack(first);
      await server.serve({ route: { a: '2' } });
      expect(rejected()).toEqual([]);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'answers to several responses may come in any order',
    async (client) => {
      const of = (tenantId: string) => ({ mark: '1', tenantId });
      await server.serve({ scope: { a: of('a'), b: of('b') } });
      client.subscribe('scope');
      const first = await client.next();
      const second = await client.next();
      client.nack(second, 'no');
      client.ack(first);
      await server.serve({ scope: { a: of('a'), b: of('b') } });
      expect(rejected()).toMatchObject([{ resource: Object.keys(second.resources)[0] }]);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a name that was refused and is asked for again gets another answer',
    async (client) => {
      await server.serve({ route: { r: 'bad' } });
      client.subscribe('route', ['r']);
      client.nack(await client.next());
      client.subscribe('route', ['r']);
      expect((await client.take('route')).resources).toEqual({ r: 'bad' });
      expect(await client.finish()).toEqual([]);
    },
  ],
];

const SOTW: readonly Row[] = [
  [
    'a request with a stale nonce is not answered: the client repeats its names with the next one',
    async (client) => {
      await server.serve({ route: { a: '1', b: '1' } });
      client.subscribe('route', ['a']);
      const first = await client.take('route');
      await server.serve({ route: { a: '2', b: '1' } });
      const second = await client.next();
      client.say('route', { resource_names: ['a', 'b'], response_nonce: first.nonce });
      await server.serve({ route: { a: '2', b: '1' } });
      client.subscribe('route', ['b']);
      client.ack(second);
      expect((await client.take('route')).resources).toEqual({ b: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a stale NACK refuses nothing',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster');
      const first = await client.take('cluster');
      await server.serve({ cluster: { a: '2' } });
      const second = await client.take('cluster');
      expect(second.resources).toEqual({ a: '2' });
      client.nack(first);
      await server.serve({ cluster: { a: '2' } });
      expect(rejected()).toEqual([]);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'an ACK may add names',
    async (client) => {
      await server.serve({ route: { a: '1', b: '1' } });
      client.subscribe('route', ['a']);
      const { nonce, version } = await client.next();
      client.say('route', { resource_names: ['a', 'b'], response_nonce: nonce, version_info: version });
      expect((await client.next()).resources).toEqual({ b: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
];

const TABLES: readonly (readonly [Protocol, string, readonly Row[]])[] = [
  ['delta', 'what both have', BOTH],
  ['sotw', 'what both have', BOTH],
  ['delta', 'its own', DELTA],
  ['sotw', 'its own', SOTW],
];

describe.each(TABLES)('answers over %s, %s', (protocol, _, rows) => {
  it.each(rows)('%s', async (_rule, script) => {
    await script(server.connect(protocol));
  });
});
