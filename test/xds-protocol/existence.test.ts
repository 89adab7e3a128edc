// The xDS protocol's rules on resources that do not exist, come late, go and come back, and on clients that come back
// ("knowing when a requested resource does not exist", "deleting resources", "incremental xDS": initial versions).

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
    'a resource that springs into existence later is sent then',
    async (client) => {
      await server.serve({ endpoint: { a: '1' } });
      client.subscribe('endpoint', ['a', 'late']);
      let found = {};
      // Delta says beside it that the other does not exist; the state of the world has no word for that.
      while (Object.keys(found).length === 0) found = (await client.take('endpoint')).resources;
      expect(found).toEqual({ a: '1' });
      await server.serve({ endpoint: { a: '1' } });
      for (const left of client.drain()) client.ack(left);
      await server.serve({ endpoint: { a: '1', late: '1' } });
      expect((await client.take('endpoint')).resources).toEqual({ late: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a cluster that went and came back the same is sent again to a wildcard',
    async (client) => {
      await server.serve({ cluster: { a: '1', b: '1' } });
      client.subscribe('cluster');
      await client.take('cluster');
      await server.serve({ cluster: { b: '1' } });
      expect(await client.take('cluster')).toMatchObject(
        client.protocol === 'delta' ? { resources: {}, removed: ['a'] } : { resources: { b: '1' } },
      );
      await server.serve({ cluster: { a: '1', b: '1' } });
      expect((await client.take('cluster')).resources).toMatchObject({ a: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'the last resource goes: an empty response means it',
    async (client) => {
      await server.serve({ listener: { l: '1' } });
      client.subscribe('listener');
      await client.take('listener');
      await server.serve({});
      expect(await client.take('listener')).toMatchObject({
        resources: {},
        removed: client.protocol === 'delta' ? ['l'] : [],
      });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a cluster asked for by name that goes is told to be gone',
    async (client) => {
      await server.serve({ cluster: { a: '1', b: '1' } });
      client.subscribe('cluster', ['a', 'b']);
      await client.take('cluster');
      await server.serve({ cluster: { b: '1' } });
      expect(await client.take('cluster')).toMatchObject(
        client.protocol === 'delta' ? { resources: {}, removed: ['a'] } : { resources: { b: '1' } },
      );
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a resource that changes while its removal is on its way is sent after it',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster');
      await client.take('cluster');
      await server.serve({});
      const removal = await client.next();
      await server.serve({ cluster: { a: '2' } });
      client.ack(removal);
      expect((await client.take('cluster')).resources).toEqual({ a: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
];

const DELTA: readonly Row[] = [
  [
    'a name that does not exist is in removed_resources at once',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      client.subscribe('route', ['ghost']);
      expect(await client.take('route')).toMatchObject({ resources: {}, removed: ['ghost'] });
      await server.serve({ route: { r: '2' } });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'and again whenever it is asked for again',
    async (client) => {
      await server.serve({});
      for (let time = 0; time < 2; time += 1) {
        client.subscribe('cluster', ['ghost']);
        expect(await client.take('cluster')).toMatchObject({ resources: {}, removed: ['ghost'] });
      }
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a named resource that goes is in removed_resources, and sent when it comes back the same',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      client.subscribe('route', ['r']);
      await client.take('route');
      await server.serve({});
      expect(await client.take('route')).toMatchObject({ resources: {}, removed: ['r'] });
      await server.serve({ route: { r: '1' } });
      expect((await client.take('route')).resources).toEqual({ r: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'what was given up before it went is not told to be gone',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      client.subscribe('route', ['r']);
      await client.take('route');
      client.unsubscribe('route', ['r']);
      await server.serve({});
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a client that comes back with all of it is sent nothing',
    async (client) => {
      await server.serve({ route: { r: '1', s: '1' } });
      client.subscribe('route', ['r', 's']);
      const versions: Record<string, string> = {};
      while (Object.keys(versions).length < 2) Object.assign(versions, (await client.take('route')).versions);
      await client.finish();
      const again = server.connect('delta');
      again.subscribe('route', ['r', 's'], versions);
      expect(await again.finish()).toEqual([]);
    },
  ],
  [
    'a client that comes back is sent what changed, what is new, and what is gone',
    async (client) => {
      await server.serve({ cluster: { same: '1', changed: '1', gone: '1' } });
      client.subscribe('cluster');
      const { versions } = await client.take('cluster');
      await client.finish();
      await server.serve({ cluster: { same: '1', changed: '2', fresh: '1' } });
      const again = server.connect('delta');
      again.subscribe('cluster', ['*'], versions);
      expect((await again.take('cluster')).resources).toEqual({ changed: '2', fresh: '1' });
      expect(await again.take('cluster')).toMatchObject({ resources: {}, removed: ['gone'] });
      expect(await again.finish()).toEqual([]);
    },
  ],
  [
    'a named resource that went meanwhile is told to be gone',
    async (client) => {
      await server.serve({});
      client.subscribe('route', ['r'], { r: 'of another life' });
      expect(await client.take('route')).toMatchObject({ resources: {}, removed: ['r'] });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'versions of what is not asked for are not heard',
    async (client) => {
      await server.serve({ route: { r: '1' } });
      client.subscribe('route', ['r'], { other: '1', ghost: '2' });
      expect((await client.take('route')).resources).toEqual({ r: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'initial versions are of the first message of a kind; later ones are not heard',
    async (client) => {
      await server.serve({ route: { r: '1', s: '1' } });
      client.subscribe('route', ['r']);
      await client.take('route');
      client.subscribe('route', ['s'], { r: 'x', s: 'x' });
      expect((await client.take('route')).resources).toEqual({ s: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
];

const SOTW: readonly Row[] = [
  [
    'a named endpoint or route that does not exist is met with silence',
    async (client) => {
      await server.serve({ endpoint: { a: '1' } });
      client.subscribe('endpoint', ['ghost']);
      client.subscribe('route', ['ghost']);
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a named cluster that does not exist is missing from the state of the world, which is told once',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster', ['ghost']);
      expect((await client.take('cluster')).resources).toEqual({});
      await server.serve({ cluster: { a: '2' } });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'so it is beside a wildcard',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster', ['*', 'ghost']);
      expect((await client.take('cluster')).resources).toEqual({ a: '1' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'there is no word for a route that went: what referred to it says so',
    async (client) => {
      await server.serve({ route: { r: '1', s: '1' } });
      client.subscribe('route', ['r', 's']);
      await client.take('route');
      await server.serve({ route: { s: '1' } });
      await server.serve({ route: { s: '2' } });
      expect((await client.take('route')).resources).toEqual({ s: '2' });
      expect(await client.finish()).toEqual([]);
    },
  ],
  [
    'a client that comes back is sent everything, whatever version it claims',
    async (client) => {
      await server.serve({ cluster: { a: '1' } });
      client.subscribe('cluster');
      const { version } = await client.take('cluster');
      await client.finish();
      const again = server.connect('sotw');
      again.say('cluster', { version_info: version });
      expect((await again.next()).resources).toEqual({ a: '1' });
    },
  ],
];

const TABLES: readonly (readonly [Protocol, string, readonly Row[]])[] = [
  ['delta', 'what both have', BOTH],
  ['sotw', 'what both have', BOTH],
  ['delta', 'its own', DELTA],
  ['sotw', 'its own', SOTW],
];

describe.each(TABLES)('existence over %s, %s', (protocol, _, rows) => {
  it.each(rows)('%s', async (_rule, script) => {
    await script(server.connect(protocol));
  });
});
