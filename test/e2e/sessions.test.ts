// Sessions through the whole product, with the official client of the older line and replicas on the official SDK: they stay
// where they are while versions change, services die and keys are rotated, and they are of no use to anybody else.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS } from '#demo/directory.ts';
import { buildSeedWorld } from '#demo/seed-world.ts';
import { COUNT_TOOL, type CountingServer, startCountingServer } from '#test/support/counting-server.ts';
import { connectLegacy } from '#test/support/mcp-clients.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { ROOT } from '#test/support/product-process.ts';
import { until } from '#test/support/xds-gateway.ts';

const TENANT = '/v1/tenants/acme';

let product: Product;
let replicas: CountingServer[];
let url: string;
let alice: string;

type Legacy = Awaited<ReturnType<typeof connectLegacy>>;
type Count = { readonly replica: string; readonly count: number };

const create = async (path: string, body: object): Promise<void> => {
  const condition = { 'if-none-match': '*' };
  const answer = await product.registry('PUT', `${TENANT}${path}`, body, condition);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
};

/** Publishes a version with these replicas and has it served. */
const serve = async (version: string, servers: readonly CountingServer[]): Promise<void> => {
  await create(`/servers/counter/versions/${version}`, {
    endpoints: servers.map((server) => server.url),
    transport: 'streamable-http',
    protocolVersions: ['2025-06-18', '2025-11-25'],
    tools: [COUNT_TOOL],
  });
  const path = `${TENANT}/servers/counter/active-version?wait=applied&waitSeconds=30`;
  const served = await product.registry('PUT', path, { version }, { 'if-match': '*' });
  expect(served.status, JSON.stringify(served.body)).toBe(200);
};

/** A tenant that trusts the demo's provider, with one server that takes the tokens of the demo's tracker. */
const register = async (): Promise<void> => {
  const origin = new URL(product.quickstart.issuer).origin;
  const world = buildSeedWorld({ providerOrigin: origin, trackerPort: 1, reportsPort: 2 });
  const [contoso] = world.issuers;
  if (contoso === undefined) throw new Error('the sample world has changed');
  const { id, ...issuer } = contoso;
  const tenant = {
    displayName: 'Acme',
    accessContact: 'zoe@acme.example',
    allowedOrigins: [],
    fourEyes: false,
  };
  await create('', tenant);
  await create(`/issuers/${id}`, issuer);
  await create('/servers/counter', {
    displayName: 'Counter',
    allowedHosts: replicas.map((replica) => new URL(replica.url).host),
    upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
    bindings: [{ issuerId: id, audiences: [APPLICATION_IDS.gatewayTracker], requiredScopes: ['tools.use'] }],
    constraints: [],
    refusalStatus: 200,
    maxBodyBytes: 65_536,
  });
  const users = ['10000000-aaaa-4aaa-8aaa-00000000000a', '10000000-bbbb-4bbb-8bbb-00000000000b'];
  await create('/grants/both', {
    serverId: 'counter',
    subjects: users.map((user) => ({ kind: 'user', id: user })),
    tools: ['*'],
    prompts: [],
    resources: [],
  });
};

const connect = () => connectLegacy(url, alice);

const count = async ({ client }: Legacy): Promise<Count> => {
  const result = await client.callTool({ name: 'count' });
  const [content] = result.content as { text: string }[];
  return JSON.parse(content?.text ?? '') as Count;
};

/** Counts on and returns what the server counted; a session that began anew would count from one. */
const countsOn = async (session: Legacy, from: Count): Promise<Count> => {
  const next = await count(session);
  expect(next).toEqual({ replica: from.replica, count: from.count + 1 });
  return next;
};

/** Opens sessions until each of the replicas has one, each with its first count. */
const oneOnEach = async (names: readonly string[]): Promise<Map<string, [Legacy, Count]>> => {
  const found = new Map<string, [Legacy, Count]>();
  await until(
    'a session on each replica',
    async () => {
      const session = await connect();
      const first = await count(session);
      if (found.has(first.replica)) await session.client.close();
      else found.set(first.replica, [session, first]);
      return found.size === names.length;
    },
    60_000,
  );
  expect([...found.keys()].toSorted()).toEqual([...names].toSorted());
  return found;
};

beforeAll(async () => {
  product = await startProduct();
  replicas = await Promise.all(['red', 'green', 'blue', 'white'].map(startCountingServer));
  url = `${product.quickstart.gateway}/t/acme/mcp/counter`;
  alice = await product.token('alice');
  await register();
  await serve('1.0.0', replicas.slice(0, 3));
}, 300_000);
afterAll(async () => {
  await product?.stop();
  await Promise.all((replicas ?? []).map((replica) => replica.stop()));
});

describe('a session', () => {
  it('stays with its replica and its version, while a version with other replicas takes over', async () => {
    const sessions = await oneOnEach(['red', 'green', 'blue']);
    const countAll = async (): Promise<void> => {
      for (const [name, [session, last]] of sessions) {
        let at = last;
        for (let round = 0; round < 4; round += 1) at = await countsOn(session, at);
        sessions.set(name, [session, at]);
      }
    };
    await countAll();
    await serve('2.0.0', replicas.slice(2));
    await countAll();
    const fresh = [...(await oneOnEach(['blue', 'white'])).values()];
    await countAll();
    for (const [{ client }] of [...sessions.values(), ...fresh]) await client.close();
  }, 120_000);

  it.each(['ext-authz', 'ext-proc', 'xds-server', 'registry', 'envoy'])(
    'survives kill -9 of %s',
    async (service) => {
      const session = await connect();
      const before = await countsOn(session, await count(session));
      const { sessionId } = session.transport;
      await product.kill(service);
      await until(`${service} is back`, () => product.isReady(service), 60_000);
      // Calls that meet the gap fail; none of them may have been counted as another session's.
      let after: Count | undefined;
      await until(
        'the session goes on',
        async () => {
          after = await count(session).catch(() => undefined);
          return after !== undefined;
        },
        60_000,
      );
      expect(after?.replica).toBe(before.replica);
      expect(after?.count).toBeGreaterThan(before.count);
      expect(session.transport.sessionId).toBe(sessionId);
      await session.client.close();
    },
    150_000,
  );

  it('is where a client comes back to for the rest of a stream that broke off with Envoy', async () => {
    const session = await connect();
    const before = await count(session);
    const begun = Promise.withResolvers<void>();
    const answer = session.client.callTool({ name: 'count', arguments: { ms: 3_000 } }, undefined, {
      onprogress: () => begun.resolve(),
      timeout: 60_000,
    });
    await begun.promise;
    await product.kill('envoy');
    const [content] = (await answer).content as { text: string }[];
    expect(JSON.parse(content?.text ?? '')).toEqual({ replica: before.replica, count: before.count + 1 });
    await session.client.close();
  }, 90_000);

  it('goes on through a rotation of keys, which the running services take up', async () => {
    const session = await connect();
    const before = await count(session);
    const keyOf = (id: string | undefined): string | undefined => id?.split('.')[0];
    const { MCPGW_LOCAL_DIR: local = '' } = product.process.environment;
    const command = ['--disable-warning=ExperimentalWarning', 'ext-authz/session/rotate-key.ts'];
    const env = { ...process.env, MCPGW_STATE_DIR: join(local, 'state') };
    const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: ROOT, env });
    expect(stdout).toContain('a key added, 2 in it');
    const isRotated = async (): Promise<boolean> => {
      const fresh = await connect();
      const { replica } = await count(fresh);
      await fresh.client.close();
      return replica !== undefined && keyOf(fresh.transport.sessionId) !== keyOf(session.transport.sessionId);
    };
    await until('new sessions are sealed with the new key', isRotated, 30_000);
    await countsOn(session, before);
    await session.client.close();
  }, 60_000);

  it('is of no use to another user with a token and a grant, nor to its user at another door', async () => {
    const session = await connect();
    const before = await count(session);
    const steal = async (at: string, token: string) => {
      const response = await fetch(at, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2025-11-25',
          'mcp-session-id': session.transport.sessionId ?? '',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'count' } }),
      });
      const { error } = (await response.json()) as { error?: { data: { reason: string } } };
      return [response.status, error?.data.reason];
    };
    expect(await steal(url, await product.token('bob'))).toEqual([404, 'session_unknown']);
    expect(await steal(product.serverUrl('tracker'), alice)).toEqual([404, 'session_unknown']);
    await countsOn(session, before);
    const refused = (await product.decisions()).filter(({ reason }) => reason === 'session_unknown');
    expect(refused.map(({ facts }) => facts)).toEqual([{ fault: 'foreign' }, { fault: 'foreign' }]);
    expect(await product.allLogs()).not.toContain(session.transport.sessionId);
    await session.client.close();
  });

  it('ends with its replica: the client is told so and begins a new one elsewhere', async () => {
    await serve('3.0.0', replicas.slice(0, 2));
    const sessions = await oneOnEach(['red', 'green']);
    const [doomed] = sessions.get('red') ?? expect.fail('no session on red');
    await replicas.find(({ name }) => name === 'red')?.stop();
    // A call into a connection that Envoy does not yet know to be closed is broken off; it may have run.
    const told = async (): Promise<unknown> =>
      count(doomed).catch((thrown) => (thrown as { code: unknown }).code);
    await until('the client is told', async () => (await told()) === 404);
    const again = await connect();
    expect(await count(again)).toEqual({ replica: 'green', count: 1 });
    for (const { client } of [again, ...[...sessions.values()].map(([session]) => session)])
      await client.close();
  }, 60_000);

  it('survives a restart of everything at once', async () => {
    const session = await connect();
    const before = await count(session);
    await product.process.interrupt();
    const again = await product.process.restart();
    try {
      await until(
        'calls work again',
        async () => (await count(session).catch(() => undefined)) !== undefined,
        60_000,
      );
      const after = await count(session);
      expect(after.replica).toBe(before.replica);
      expect(after.count).toBeGreaterThan(before.count);
      await session.client.close();
    } finally {
      await again.interrupt();
    }
  }, 200_000);
});
