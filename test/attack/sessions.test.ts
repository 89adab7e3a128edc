// Session ids in the wrong hands, in the wrong place, or made up: on the real Envoy, through ext-authz and ext-proc. A
// session id is no credential here, and what is wrong with one is not told (MCP security practices, Session Hijacking).

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sealSession } from '#core/sealed-session.ts';
import { deriveSessionKey } from '#core/session-key.ts';
import type { Tenant } from '#core/tenant.ts';
import {
  type SessionAnswer,
  type SessionGateway,
  type SessionRequest,
  startSessionGateway,
} from '#test/support/session-gateway.ts';
import { type SessionServer, startSessionServer } from '#test/support/session-server.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

let bench: SessionGateway;
let home: SessionServer;
let other: SessionServer;
let alices: string;
let sequence = 0;

const DESK = '/t/acme/mcp/desk';
const PLACES = [DESK, '/t/acme/mcp/files', '/t/globex/mcp/desk'];

const serve = async (change: Partial<Tenant> = {}): Promise<void> => {
  sequence += 1;
  const acme = tenantOf('acme', {
    desk: { '1.0.0': [home.url, other.url] },
    files: { '1.0.0': [home.url, other.url] },
  });
  const globex = tenantOf('globex', { desk: { '1.0.0': [home.url, other.url] } });
  await bench.update(snapshotOf(sequence, { ...acme, ...change }, globex));
};

const call = (request: Partial<SessionRequest> = {}, path = DESK): Promise<SessionAnswer> =>
  bench.send(path, { as: 'alice', ...request });

const open = async (as = 'alice', path = DESK): Promise<string> =>
  (await call({ as, rpc: 'initialize' }, path)).session ?? expect.fail('no session was opened');

const reached = (): number => home.reached.length + other.reached.length;

beforeAll(async () => {
  bench = await startSessionGateway();
  [home, other] = await Promise.all([startSessionServer('home'), startSessionServer('other')]);
  await serve();
  alices = await open();
});
afterAll(async () => {
  await bench?.stop();
  await Promise.all([home.stop(), other.stop()]);
});
beforeEach(() => {
  bench.refusals.length = 0;
});

/** What a client can see of an answer, without what differs by chance. */
const visible = ({ status, headers, text }: SessionAnswer) => {
  const { date: _date, 'x-request-id': id = '', ...rest } = headers;
  return { status, headers: rest, text: text.replaceAll(id, 'ID') };
};

const KINDS: readonly [string, Partial<SessionRequest>][] = [
  ['a call', { rpc: 'tools/call', params: { name: 'x', arguments: {} } }],
  ['a list', { rpc: 'tools/list' }],
  ['a ping', {}],
  ['a new handshake', { rpc: 'initialize' }],
  ['a stream', { method: 'GET' }],
  ['a stream that is resumed', { method: 'GET', headers: { 'last-event-id': '1' } }],
  ['the end of it', { method: 'DELETE' }],
];

describe('a stolen session id', () => {
  it.each(KINDS)('is worth nothing to another principal, for %s', async (_what, request) => {
    const before = reached();
    const answer = await call({ ...request, as: 'mallory', session: alices });
    expect(answer.status, answer.text).toBe(404);
    expect(answer.session).toBeUndefined();
    expect(JSON.parse(answer.text)).toMatchObject({ error: { data: { reason: 'session_unknown' } } });
    expect(bench.refusals).toEqual([{ reason: 'session_unknown', fault: 'foreign' }]);
    expect(reached()).toBe(before);
  });

  it('is worth nothing to another application of the same user', async () => {
    expect((await call({ as: 'alice@other', session: alices })).status).toBe(404);
    expect(bench.refusals).toEqual([{ reason: 'session_unknown', fault: 'foreign' }]);
  });

  it.each(PLACES.slice(1))('is worth nothing to its own user at %s', async (path) => {
    const before = reached();
    expect((await call({ session: alices }, path)).status).toBe(404);
    expect(reached()).toBe(before);
  });

  it('cannot be handed to somebody who then works in it (fixation)', async () => {
    const planted = await open('mallory');
    const before = reached();
    expect((await call({ session: planted, rpc: 'tools/list' })).status).toBe(404);
    expect(reached()).toBe(before);
  });

  it('is no credential: without a token it is 401, whatever the id', async () => {
    for (const session of [alices, 'made-up'])
      expect((await call({ session, headers: { authorization: '' } })).status).toBe(401);
  });

  it('goes on for its owner after all of that', async () => {
    expect((await call({ session: alices })).status).toBe(200);
  });
});

describe('a session id that was made up', () => {
  const rewritten = (change: (bytes: Buffer) => Buffer): string => {
    const [id, text = ''] = alices.split('.');
    return `${id}.${change(Buffer.from(text, 'base64url')).toString('base64url')}`;
  };
  const turnLastBit = (bytes: Buffer): Buffer => {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    return bytes;
  };
  const ofAnotherKey = (): string => {
    const owner = {
      tenantId: 'acme',
      serverId: 'desk',
      principal: '["https://idp.example","alice"]',
      applications: ['app'],
    };
    const session = { id: 'x', host: home.host, version: '1.0.0', startedAt: Math.floor(Date.now() / 1000) };
    return sealSession(deriveSessionKey(Buffer.alloc(32, 99)), Buffer.alloc(12), { session, owner }) ?? '';
  };
  const upstreams = (): string => [...home.sessions, ...other.sessions][0] ?? '';

  const MADE_UP: readonly [string, string, () => string][] = [
    ['is one of another key', 'key_unknown', ofAnotherKey],
    [
      'names our key and was sealed with another',
      'forged',
      () => `${alices.split('.')[0]}.${ofAnotherKey().split('.')[1]}`,
    ],
    ['differs in its last bit', 'forged', () => rewritten(turnLastBit)],
    ['has something behind it', 'malformed', () => `${alices}=`],
    ['is cut', 'forged', () => rewritten((bytes) => bytes.subarray(0, -3))],
    ['is the own id of the server', 'malformed', upstreams],
    ['is very long', 'malformed', () => 'x'.repeat(20_000)],
    ['is a key id and no more', 'malformed', () => `${alices.split('.')[0]}.`],
  ];

  it.each(MADE_UP)('does nothing if it %s', async (_what, fault, make) => {
    const before = reached();
    const answer = await call({ session: make() });
    expect(answer.status, answer.text).toBe(404);
    expect(bench.refusals).toEqual([{ reason: 'session_unknown', fault }]);
    expect(reached()).toBe(before);
  });

  it('reads exactly like one that was stolen', async () => {
    const stolen = visible(await call({ as: 'mallory', session: alices }));
    for (const [, , make] of MADE_UP)
      expect(visible(await call({ as: 'mallory', session: make() }))).toEqual(stolen);
  });
});

describe('what goes round the session id', () => {
  it.each([
    ['x-mcpgw-host', () => other.host],
    ['X-Mcpgw-Host', () => home.host],
    ['x-mcpgw-session', () => 'made-up'],
  ])('a header %s of the client is not believed', async (name, value) => {
    const session = await open();
    const before = home.reached.length;
    await call({ session });
    const own = home.reached.length > before ? home : other;
    for (let round = 0; round < 4; round += 1) {
      const count = own.reached.length;
      const answer = await call({ session, headers: { [name]: value() } });
      expect([answer.status, answer.session]).toEqual([200, session]);
      expect(own.reached.length).toBe(count + 1);
      expect(Object.keys(own.reached.at(-1)?.headers ?? {}).join()).not.toContain('x-mcpgw');
    }
  });

  it.each([
    ['twice, joined', 'a, b'],
    ['with a space', 'a b'],
  ])('an id that stands there %s is refused before anything is opened', async (_what, session) => {
    const before = reached();
    const answer = await call({ session });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(reached()).toBe(before);
  });

  it('a header that differs in its underscores only is refused', async () => {
    const before = reached();
    expect((await call({ headers: { mcp_session_id: 'home-upstream-1' } })).status).toBe(400);
    expect(reached()).toBe(before);
  });
});

describe('the id of an event', () => {
  const stream = (as: string, session: string, lastEventId?: string) => {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    return call({ as, session, method: 'GET', headers });
  };
  const seenBy = async (as: string, session: string): Promise<string> =>
    /^id: (.+)$/m.exec((await stream(as, session)).text)?.[1] ?? expect.fail('no event');

  it('brings its owner back into the stream, and the server sees its own', async () => {
    const id = await seenBy('alice', alices);
    expect(id).not.toBe('1');
    expect((await stream('alice', alices, id)).status).toBe(200);
    const { headers } =
      [home, other]
        .flatMap((replica) => replica.reached.slice(-1))
        .find((one) => one.headers['last-event-id']) ?? {};
    expect(headers?.['last-event-id']).toBe('1');
  });

  it('is worth nothing to anybody else, in no other session, and not as the server knows it', async () => {
    const [id, mallorys, hers] = [await seenBy('alice', alices), await open('mallory'), await open()];
    const before = reached();
    for (const [as, session, lastEventId] of [
      ['mallory', mallorys, id],
      ['alice', hers, id],
      ['alice', alices, '1'],
      ['alice', alices, `${id}x`],
    ] as const) {
      const answer = await stream(as, session, lastEventId);
      expect([answer.status, JSON.parse(answer.text).error.data]).toEqual([
        400,
        expect.objectContaining({ reason: 'header_invalid', field: 'last-event-id' }),
      ]);
    }
    expect(reached()).toBe(before);
  });

  it.each<[string, Partial<SessionRequest>]>([
    ['a call', {}],
    ['the end of a session', { method: 'DELETE' }],
  ])('does not get through with %s, where it means nothing', async (_what, request) => {
    const session = await open();
    await call({ session, ...request, headers: { 'last-event-id': '1', 'x-test-mark': 'stray' } });
    const stray = [home, other]
      .flatMap((replica) => replica.reached)
      .findLast((one) => one.headers['x-test-mark'] === 'stray');
    expect(stray?.headers).toHaveProperty('mcp-session-id');
    expect(stray?.headers).not.toHaveProperty('last-event-id');
  });
});

describe('a session of a caller who is switched off', () => {
  it('is refused with the caller, and goes on when the switch is released', async () => {
    const principal = '["https://idp.example","alice"]';
    await serve({ killSwitches: [{ id: 'k', target: { kind: 'principal', principal } }] });
    const before = reached();
    const blocked = await call({ session: alices });
    expect(JSON.parse(blocked.text)).toMatchObject({ error: { data: { reason: 'caller_blocked' } } });
    expect((await call({ session: alices, method: 'GET' })).status).toBe(403);
    expect(reached()).toBe(before);
    await serve();
    expect((await call({ session: alices })).status).toBe(200);
  });
});
