// The xDS protocol's rules on what a client asks for, row by row over real gRPC. Each row names its rule by the section
// of the page "xDS REST and gRPC protocol" it stands in.

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

const BOTH: readonly Row[] = [
  [
    'how the client specifies what to return: a first request without names asks for everything',
    async (client) => {
      await server.serve({ cluster: { a: '1', b: '1' } });
      client.subscribe('cluster');
      expect((await client.take('cluster')).resources).toEqual({ a: '1', b: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'how the client specifies what to return: "*" asks for everything',
    async (client) => {
      await server.serve({ listener: { a: '1', b: '1' } });
      client.subscribe('listener', ['*']);
      expect((await client.take('listener')).resources).toEqual({ a: '1', b: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'the wildcard is of listeners and clusters: endpoints and routes without names, or by "*", are not told',
    async (client) => {
      await server.serve({ endpoint: { a: '1' }, route: { r: '1' } });
      client.subscribe('endpoint');
      client.subscribe('route', ['*']);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'the server must supply what is named, and nothing else',
    async (client) => {
      await server.serve({ route: { a: '1', b: '1', c: '1' } });
      client.subscribe('route', ['a', 'c']);
      const { resources } = await client.take('route');
      expect(resources).toEqual({ a: '1', c: '1' });
      await server.serve({ route: { a: '1', b: '2', c: '1' } });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a name added later is sent although nothing changed; what was there before is not needed again',
    async (client) => {
      await server.serve({ endpoint: { a: '1', b: '1' } });
      client.subscribe('endpoint', ['a']);
      expect((await client.take('endpoint')).resources).toEqual({ a: '1' });
      client.subscribe('endpoint', ['b']);
      expect((await client.take('endpoint')).resources).toEqual({ b: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a name given up and asked for again is sent again: the client has dropped it',
    async (client) => {
      await server.serve({ endpoint: { a: '1' } });
      client.subscribe('endpoint', ['a']);
      await client.take('endpoint');
      client.unsubscribe('endpoint', ['a']);
      client.subscribe('endpoint', ['a']);
      expect((await client.take('endpoint')).resources).toEqual({ a: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'unsubscribing: what was given up is not told any more, and needs no answer',
    async (client) => {
      await server.serve({ endpoint: { a: '1', b: '1' } });
      client.subscribe('endpoint', ['a', 'b']);
      await client.take('endpoint');
      client.unsubscribe('endpoint', ['a']);
      await server.serve({ endpoint: { a: '2', b: '2' } });
      expect((await client.take('endpoint')).resources).toEqual({ b: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a superfluous unsubscription is processed cleanly',
    async (client) => {
      await server.serve({ endpoint: { a: '1' } });
      client.subscribe('endpoint', ['a']);
      await client.take('endpoint');
      client.unsubscribe('endpoint', ['never', 'asked']);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'clearing the names after having named some is no wildcard: nothing is told any more',
    async (client) => {
      await server.serve({ cluster: { a: '1', b: '1' } });
      client.subscribe('cluster', ['a']);
      expect((await client.take('cluster')).resources).toEqual({ a: '1' });
      client.unsubscribe('cluster', ['a']);
      client.subscribe('cluster');
      await server.serve({ cluster: { a: '2', b: '2' } });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'an explicit "*" that is cleared again is no wildcard either',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster', ['*']);
      await client.take('cluster');
      client.unsubscribe('cluster', ['*']);
      client.subscribe('cluster');
      await server.serve({ cluster: { a: '2' } });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'requests without names go on meaning everything as long as none were ever given',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster');
      await client.take('cluster');
      client.subscribe('cluster');
      await server.serve({ cluster: { a: '2' } });
      expect((await client.take('cluster')).resources).toEqual({ a: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'the wildcard may be given up while a name stays: from then on only the name is told',
    async (client) => {
      await server.serve({ cluster: { a: '1', b: '1' } });
      client.subscribe('cluster', ['*']);
      await client.take('cluster');
      client.subscribe('cluster', ['a']);
      await client.take('cluster');
      client.unsubscribe('cluster', ['*']);
      await server.serve({ cluster: { a: '2', b: '2' } });
      expect((await client.take('cluster')).resources).toEqual({ a: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'an implicit wildcard goes on beside a name that is added, and ends by "*" given up',
    async (client) => {
      await server.serve({ cluster: { a: '1', b: '1' } });
      client.subscribe('cluster');
      await client.take('cluster');
      client.subscribe('cluster', ['*', 'a']);
      await client.take('cluster');
      await server.serve({ cluster: { a: '1', b: '2' } });
      expect((await client.take('cluster')).resources).toMatchObject({ b: '2' });
      client.unsubscribe('cluster', ['*']);
      await server.serve({ cluster: { a: '1', b: '3' } });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'the wildcard may be added to names',
    async (client) => {
      await server.serve({ cluster: { a: '1', b: '1' } });
      client.subscribe('cluster', ['a']);
      expect((await client.take('cluster')).resources).toEqual({ a: '1' });
      client.subscribe('cluster', ['*']);
      expect((await client.take('cluster')).resources).toMatchObject({ b: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a wildcard over nothing is answered once: a client that starts waits for it',
    async (client) => {
      await server.serve({});
      client.subscribe('cluster');
      expect((await client.take('cluster')).resources).toEqual({});
      await server.serve({ route: { r: '1' } });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'the same name twice in one request is one name, and one resource in the answer',
    async (client) => {
      await server.serve({ endpoint: { a: '1' } });
      client.subscribe('endpoint', ['a', 'a', 'a']);
      expect((await client.take('endpoint')).resources).toEqual({ a: '1' });
      await server.serve({ endpoint: { a: '2' } });
      expect((await client.take('endpoint')).resources).toEqual({ a: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'nothing is told of a kind that was never asked for',
    async (client) => {
      await server.serve({ cluster: { a: '1' }, listener: { l: '1' }, scope: { s: 'r' }, route: { r: '1' } });
      client.subscribe('route', ['r']);
      expect((await client.take('route')).resources).toEqual({ r: '1' });
      await server.serve({ cluster: { a: '2' }, listener: { l: '2' }, scope: { s: 'q' }, route: { r: '2' } });
      expect((await client.take('route')).resources).toEqual({ r: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'the aggregated stream: kinds are subscribed to, answered and versioned apart',
    async (client) => {
      await server.serve({ cluster: { a: '1' }, endpoint: { a: '1' }, route: { a: '1' } });
      client.subscribe('route', ['a']);
      client.subscribe('cluster');
      client.subscribe('endpoint', ['a']);
      const kinds = new Map<string, string>();
      for (let turn = 0; turn < 3; turn += 1) {
        const reply = await client.next();
        client.ack(reply);
        kinds.set(reply.kind, reply.nonce);
        expect(reply.resources).toEqual({ a: '1' });
      }
      expect([...kinds.keys()].sort()).toEqual(['cluster', 'endpoint', 'route']);
      expect(new Set(kinds.values()).size).toBe(3);
      client.unsubscribe('endpoint', ['a']);
      await server.serve({ cluster: { a: '1' }, endpoint: { a: '2' }, route: { a: '2' } });
      expect((await client.take('route')).resources).toEqual({ a: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'requests before there is anything to serve are remembered and answered when there is',
    async (client) => {
      client.subscribe('cluster');
      client.subscribe('route', ['r']);
      await server.serve({ cluster: { a: '1' }, route: { r: '1' } });
      expect((await client.take('cluster')).resources).toEqual({ a: '1' });
      expect((await client.take('route')).resources).toEqual({ r: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
];

const DELTA: readonly Row[] = [
  [
    'subscribing: a name asked for again must be answered again, the client may have forgotten it',
    async (client) => {
      await server.serve({ endpoint: { a: '1' } });
      client.subscribe('endpoint', ['a']);
      await client.take('endpoint');
      client.subscribe('endpoint', ['a']);
      expect((await client.take('endpoint')).resources).toEqual({ a: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'subscribing: also while the first answer is on its way',
    async (client) => {
      await server.serve({ endpoint: { a: '1' } });
      client.subscribe('endpoint', ['a']);
      const first = await client.next();
      client.subscribe('endpoint', ['a']);
      client.ack(first);
      expect((await client.take('endpoint')).resources).toEqual({ a: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'unsubscribing a name under a wildcard that covers it: answered with the resource',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster', ['*', 'a']);
      await client.take('cluster');
      client.unsubscribe('cluster', ['a']);
      expect((await client.take('cluster')).resources).toEqual({ a: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'unsubscribing a name under a wildcard that does not cover it: answered with its removal',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster', ['*', 'ghost']);
      let removed: readonly string[] = [];
      while (removed.length === 0) removed = (await client.take('cluster')).removed;
      expect(removed).toEqual(['ghost']);
      client.unsubscribe('cluster', ['ghost']);
      expect(await client.take('cluster')).toMatchObject({ resources: {}, removed: ['ghost'] });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'unsubscribing a name under a wildcard that was never asked for is not answered',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster', ['*']);
      await client.take('cluster');
      client.unsubscribe('cluster', ['a', 'ghost']);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a first request that only unsubscribes is no wildcard',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.unsubscribe('cluster', ['a']);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'an implicit wildcard may be given up by name',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster');
      await client.take('cluster');
      client.unsubscribe('cluster', ['*']);
      await server.serve({ cluster: { a: '2' } });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'one request may give up and ask at once',
    async (client) => {
      await server.serve({ endpoint: { a: '1', b: '1' } });
      client.subscribe('endpoint', ['a']);
      await client.take('endpoint');
      client.say('endpoint', { resource_names_subscribe: ['b'], resource_names_unsubscribe: ['a'] });
      expect((await client.take('endpoint')).resources).toEqual({ b: '1' });
      await server.serve({ endpoint: { a: '2', b: '1' } });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'grouping: what did not change is not sent again',
    async (client) => {
      await server.serve({ cluster: { a: '1', b: '1' } });
      client.subscribe('cluster');
      await client.take('cluster');
      await server.serve({ cluster: { a: '1', b: '2', c: '1' } });
      expect((await client.take('cluster')).resources).toEqual({ b: '2', c: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
];

const SOTW: readonly Row[] = [
  [
    'grouping: clusters and listeners are told as a whole whenever one of them changes',
    async (client) => {
      await server.serve({ cluster: { a: '1', b: '1' }, listener: { l: '1', m: '1' } });
      client.subscribe('cluster');
      client.subscribe('listener');
      await client.take('cluster');
      await client.take('listener');
      await server.serve({ cluster: { a: '1', b: '2' }, listener: { l: '1', m: '2' } });
      expect((await client.take('cluster')).resources).toEqual({ a: '1', b: '2' });
      expect((await client.take('listener')).resources).toEqual({ l: '1', m: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'grouping: so are clusters that are asked for by name, as far as they are',
    async (client) => {
      await server.serve({ cluster: { a: '1', b: '1', c: '1' } });
      client.subscribe('cluster', ['a', 'b']);
      expect((await client.take('cluster')).resources).toEqual({ a: '1', b: '1' });
      await server.serve({ cluster: { a: '2', b: '1', c: '2' } });
      expect((await client.take('cluster')).resources).toEqual({ a: '2', b: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'grouping: endpoints and routes need not be',
    async (client) => {
      await server.serve({ endpoint: { a: '1', b: '1' } });
      client.subscribe('endpoint', ['a', 'b']);
      await client.take('endpoint');
      await server.serve({ endpoint: { a: '1', b: '2' } });
      expect((await client.take('endpoint')).resources).toEqual({ b: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'names are repeated in every request, which asks for nothing again',
    async (client) => {
      await server.serve({ endpoint: { a: '1' } });
      client.subscribe('endpoint', ['a']);
      await client.take('endpoint');
      client.subscribe('endpoint', ['a']);
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

describe.each(TABLES)('subscriptions over %s, %s', (protocol, _, rows) => {
  it.each(rows)('%s', async (_rule, script) => {
    await script(server.connect(protocol));
  });
});
