// Sessions of the older era on the real Envoy, from xds-server's own configuration, through ext-authz and ext-proc: what a
// client gets instead of the server's id, and where its calls go.

import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sessionReference } from '#core/sealed-session.ts';
import { deriveSessionKey } from '#core/session-key.ts';
import {
  MAX_AGE_SECONDS,
  type SessionAnswer,
  type SessionGateway,
  type SessionRequest,
  startSessionGateway,
} from '#test/support/session-gateway.ts';
import { type AnswerWith, type SessionServer, startSessionServer } from '#test/support/session-server.ts';
import { SESSION_KEY } from '#test/support/session-world.ts';
import { until } from '#test/support/xds-gateway.ts';
import { snapshotOf, tenantOf, type Versions } from '#test/support/xds-world.ts';

let bench: SessionGateway;
let replicas: SessionServer[];
let sequence = 0;

const DESK = '/t/acme/mcp/desk';

/** Publishes the replicas of each version of the one server; the first version is the one that is served. */
const serve = async (versions: Readonly<Record<string, readonly SessionServer[]>>): Promise<void> => {
  sequence += 1;
  const urls: Versions = Object.fromEntries(
    Object.entries(versions).map(([version, servers]) => [version, servers.map(({ url }) => url)]),
  );
  await bench.update(snapshotOf(sequence, tenantOf('acme', { desk: urls })));
};

const call = (request: Partial<SessionRequest> = {}): Promise<SessionAnswer> =>
  bench.send(DESK, { as: 'alice', ...request });

const open = async (request: Partial<SessionRequest> = {}): Promise<string> => {
  const answer = await call({ rpc: 'initialize', ...request });
  expect(answer.status, answer.text).toBe(200);
  return answer.session ?? expect.fail('no session was opened');
};

/** Which replica answered last. */
const lastReached = (): string | undefined => replicas.toSorted((a, b) => latest(b) - latest(a))[0]?.name;
const latest = ({ reached }: SessionServer): number => Number(reached.at(-1)?.headers['x-test-at'] ?? 0);

let clock = 0;
const tick = (): Record<string, string> => {
  clock += 1;
  return { 'x-test-at': String(clock) };
};

/** The replica that a call of the session gets to. */
const replicaOf = async (session: string): Promise<string | undefined> => {
  const answer = await call({ session, headers: tick() });
  expect(answer.status, answer.text).toBe(200);
  return lastReached();
};

beforeAll(async () => {
  bench = await startSessionGateway();
  replicas = await Promise.all(['red', 'green', 'blue', 'white'].map(startSessionServer));
  await serve({ '1.0.0': replicas.slice(0, 1) });
});
afterAll(async () => {
  await bench?.stop();
  await Promise.all(replicas.map((replica) => replica.stop()));
});
beforeEach(() => {
  for (const replica of replicas) replica.answerWith = undefined;
  bench.keys = [SESSION_KEY];
  bench.laterMs = 0;
  bench.refusals.length = 0;
});

const red = (): SessionServer => replicas[0] ?? expect.fail('no replica');

describe('the id of a session', () => {
  it('is sealed for the client and the own one for the server', async () => {
    const session = await open();
    expect(session).not.toContain('upstream');
    const answer = await call({ session });
    expect(answer.session).toBe(session);
    expect(red().reached.at(-1)?.headers['mcp-session-id']).toMatch(/^red-upstream-\d+$/);
    expect(Object.keys(red().reached.at(-1)?.headers ?? {}).join()).not.toContain('x-mcpgw');
  });

  const head =
    (status: number, type: string, more: Record<string, string | string[]> = {}) =>
    (response: ServerResponse, id: string | undefined) =>
      response.writeHead(status, { 'content-type': type, 'mcp-session-id': id ?? 'lazy-upstream', ...more });
  const json =
    (status: number, more = {}): AnswerWith =>
    (response, id) =>
      void head(status, 'application/json', more)(response, id).end('{"jsonrpc":"2.0","id":1,"result":{}}');
  const sse: AnswerWith = (response, id) =>
    void head(200, 'text/event-stream')(response, id).end('data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');

  const ANSWERS: readonly [string, AnswerWith][] = [
    ['JSON', json(200)],
    [
      'JSON with a charset',
      (response, id) => void head(200, 'application/json; charset=utf-8')(response, id).end('{}'),
    ],
    ['an empty 202', (response, id) => void head(202, 'text/plain')(response, id).end()],
    ['events', sse],
    ['a 404 of a dead session', json(404)],
    ['a 400', json(400)],
    ['a 500', json(500)],
    ['a header of the gateway forged', json(200, { 'x-mcpgw-session': 'forged-upstream' })],
    ['two ids', json(200, { 'mcp-session-id': ['a-upstream', 'b-upstream'] })],
  ];
  const REQUESTS: readonly [string, Partial<SessionRequest>, 'kept' | 'none'][] = [
    ['a call of the session', {}, 'kept'],
    ['a list of the session', { rpc: 'tools/list' }, 'kept'],
    ['a call without a session', { session: undefined }, 'none'],
    ['a list without a session', { session: undefined, rpc: 'tools/list' }, 'none'],
  ];

  for (const [what, request, expected] of REQUESTS) {
    it.each(ANSWERS)(
      `of the server never goes out with ${what} answered by %s`,
      async (_answer, answerWith) => {
        const session = await open();
        red().answerWith = answerWith;
        const answer = await call({ session, ...request });
        expect(JSON.stringify(answer)).not.toContain('upstream');
        expect([session, undefined]).toContain(answer.session);
        if (answer.status < 500) expect(answer.session).toBe(expected === 'kept' ? session : undefined);
      },
    );
  }

  it.each(ANSWERS)(
    'of the server never goes out with an initialize answered by %s',
    async (_what, answerWith) => {
      red().answerWith = answerWith;
      const answer = await call({ rpc: 'initialize' });
      expect(JSON.stringify(answer)).not.toContain('upstream');
      if (answer.session !== undefined) expect(answer.session).toMatch(new RegExp(`^${SESSION_KEY.id}\\.`));
    },
  );

  it('of the server never goes out in the stateless era, which knows no sessions', async () => {
    red().answerWith = json(200);
    const version = '2026-07-28';
    const meta = 'io.modelcontextprotocol';
    const answer = await call({
      rpc: 'tools/call',
      params: {
        name: 'x',
        _meta: { [`${meta}/protocolVersion`]: version, [`${meta}/clientCapabilities`]: {} },
      },
      headers: { 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': 'x' },
    });
    expect(answer.status, answer.text).toBe(200);
    expect(JSON.stringify(answer)).not.toContain('upstream');
    expect(answer.session).toBeUndefined();
  });

  it.each([
    ['is no visible ASCII', 'a b'],
    ['is too long to be sealed', 'x'.repeat(4_000)],
  ])('fails the initialize if it %s', async (_what, id) => {
    red().answerWith = (response) => json(200)(response, id);
    const answer = await call({ rpc: 'initialize' });
    expect(answer.status).toBe(502);
    expect(answer.session).toBeUndefined();
    expect(answer.text).not.toContain(id.slice(0, 100));
    expect(JSON.parse(answer.text)).toMatchObject({ id: 1, error: { data: { reason: 'answer_refused' } } });
  });

  it('may be as long as a server likes, up to 2,800 characters', async () => {
    const id = 'y'.repeat(2_800);
    red().answerWith = (response) => json(200)(response, id);
    const session = await open();
    await call({ session });
    expect(red().reached.at(-1)?.headers['mcp-session-id']).toBe(id);
  });

  it('is in no log, audit record or question to the policy, neither sealed nor as it is; its reference is in all', async () => {
    bench.written.length = 0;
    const session = await open();
    await call({ session });
    await call({ session, as: 'mallory' });
    await call({ session, method: 'GET' });
    const written = bench.written.join('\n');
    expect(written).not.toContain('upstream-');
    expect(written).not.toContain(session);
    const reference = sessionReference(session);
    expect(written).toContain(
      `"session":"${reference}","replica":"${red().host}","message":"session opened"`,
    );
    expect(
      bench.written.filter((line) => line.startsWith('policy') && line.includes(reference)),
    ).toHaveLength(2);
    expect(written).toContain(`"session":"${reference}","decision":"deny","reason":"session_unknown"`);
  });
});

describe('a stream and the end of a session', () => {
  it('go the same way: the server sees its own id, the client its own', async () => {
    const session = await open();
    const stream = await call({ session, method: 'GET', headers: { accept: 'text/event-stream' } });
    expect([stream.status, stream.session]).toEqual([200, session]);
    expect(stream.text).toContain('"by":"red"');
    const ended = await call({ session, method: 'DELETE' });
    expect(ended.status).toBe(200);
    expect(
      red()
        .reached.slice(-2)
        .map(({ headers }) => headers['mcp-session-id']),
    ).toEqual([expect.stringMatching(/^red-upstream/), expect.stringMatching(/^red-upstream/)]);
    // The server's own 404, from now on.
    const after = await call({ session });
    expect(after.status).toBe(404);
    expect(after.text).toContain('Session not found');
  });
});

describe('a session stays', () => {
  const VERSION = '1.0.0';

  it('with the replica that made it, while others come and go', async () => {
    const [first, second, third, fourth] = replicas as [
      SessionServer,
      SessionServer,
      SessionServer,
      SessionServer,
    ];
    await serve({ [VERSION]: [first, second, third] });
    const homes = new Map<string, string | undefined>();
    while (new Set(homes.values()).size < 3) {
      const session = await open({ headers: tick() });
      homes.set(session, lastReached());
    }
    const keepsHome = async (): Promise<void> => {
      for (const [session, home] of homes)
        for (let round = 0; round < 5; round += 1) expect(await replicaOf(session)).toBe(home);
    };
    await keepsHome();
    await serve({ [VERSION]: [first, second, third, fourth] });
    await keepsHome();
    // The one of the last is taken away, and comes back.
    const [orphan] = [...homes].find(([, home]) => home === third.name) ?? [''];
    await serve({ [VERSION]: [fourth, second, first] });
    const stranded = await call({ session: orphan });
    expect(stranded.status, stranded.text).toBe(404);
    expect(stranded.text).not.toContain('upstream');
    const again = await open({ headers: tick() });
    expect(await replicaOf(again)).not.toBe(third.name);
    await serve({ [VERSION]: [third, fourth, second, first] });
    await keepsHome();
  }, 60_000);

  it('in the version it was made in, whatever is served by now, and ends with it', async () => {
    const [first, second] = replicas as [SessionServer, SessionServer];
    await serve({ [VERSION]: [first] });
    const session = await open();
    await serve({ '2.0.0': [second], [VERSION]: [first] });
    expect(await replicaOf(session)).toBe(first.name);
    expect(await replicaOf(await open())).toBe(second.name);
    await serve({ '2.0.0': [second] });
    const answer = await call({ session });
    expect(answer.status).toBe(404);
    expect(bench.refusals).toEqual([{ reason: 'session_unknown', fault: 'version_gone' }]);
    await serve({ [VERSION]: [first] });
  }, 60_000);

  it('with a replica that is ejected for errors, while new ones begin elsewhere', async () => {
    const [first, second] = replicas as [SessionServer, SessionServer];
    sequence += 1;
    const tenant = tenantOf('acme', { desk: { [VERSION]: [first.url, second.url] } });
    const outlierDetection = { consecutive5xx: 2, ejectionMs: 60_000, maxEjectionPercent: 100 };
    const servers = tenant.servers.map((server) => ({ ...server, upstream: { outlierDetection } }));
    await bench.update(snapshotOf(sequence, { ...tenant, servers }));
    let session = await open({ headers: tick() });
    while (lastReached() !== first.name) session = await open({ headers: tick() });
    first.answerWith = (response) => void response.writeHead(500).end();
    for (let failure = 0; failure < 3; failure += 1) expect((await call({ session })).status).toBe(500);
    const ejected = `::${first.host}::health_flags::/failed_outlier_check`;
    await until('it is ejected', async () => (await bench.gateway.admin('/clusters')).includes(ejected));
    first.answerWith = undefined;
    for (let round = 0; round < 4; round += 1) {
      expect(await replicaOf(session)).toBe(first.name);
      await open({ headers: tick() });
      expect(lastReached()).toBe(second.name);
    }
    await serve({ [VERSION]: [first] });
  }, 60_000);

  it('until it is too old', async () => {
    const session = await open();
    bench.laterMs = MAX_AGE_SECONDS * 1_000 - 60_000;
    expect((await call({ session })).status).toBe(200);
    bench.laterMs = (MAX_AGE_SECONDS + 2) * 1_000;
    expect((await call({ session })).status).toBe(404);
    expect(bench.refusals).toEqual([{ reason: 'session_unknown', fault: 'expired' }]);
  });

  it('through a rotation of keys, until its key is dropped', async () => {
    const session = await open();
    const [second, third] = [deriveSessionKey(Buffer.alloc(32, 2)), deriveSessionKey(Buffer.alloc(32, 3))];
    bench.keys = [SESSION_KEY, second];
    expect((await call({ session })).status).toBe(200);
    expect(await open()).toMatch(new RegExp(`^${second.id}\\.`));
    bench.keys = [second, third];
    expect((await call({ session })).status).toBe(404);
    expect(bench.refusals).toEqual([{ reason: 'session_unknown', fault: 'key_unknown' }]);
  });
});
