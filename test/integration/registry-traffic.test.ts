// Splits of a server's calls over real HTTP, on a real store: what is taken, what is refused and where, and what going
// back, activating and ending make of them.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TrafficSplit } from '#core/traffic-split.ts';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';

let registry: TestRegistry;
let tenant = '';
let count = 0;

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(() => registry.stop());

type Body = Answer['body'] & {
  readonly now: { readonly weights: readonly object[]; readonly tools: readonly object[] };
  readonly split?: TrafficSplit;
  readonly lastAbort?: object;
  readonly state: string;
  readonly review: string;
  readonly access: { readonly gained: readonly { readonly tools: readonly string[] }[] };
  readonly dryRun: boolean;
};

const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  (await registry.call(method, `/v1/tenants/${tenant}${path}`, {
    headers,
    ...(body === undefined ? {} : { body }),
  })) as Answer & { readonly body: Body };

const TRAFFIC = '/servers/tracker/traffic';

const etagOf = async (path: string): Promise<Record<string, string>> => {
  const { status, etag } = await call('GET', path);
  return status === 200 ? { 'if-match': etag } : {};
};

const putTraffic = async (body: unknown, query = '') =>
  call('PUT', `${TRAFFIC}${query}`, body, await etagOf(TRAFFIC));

const activate = async (version: string) =>
  call('PUT', '/servers/tracker/active-version', { version }, await etagOf('/servers/tracker'));

const tool = (name: string) => ({ name, inputSchema: { type: 'object' } });

const publish = (version: string, tools: readonly string[], endpoint = 'https://tracker.example.com/mcp') =>
  call('PUT', `/servers/tracker/versions/${version}`, {
    endpoints: [endpoint],
    protocolVersions: ['2025-11-25'],
    tools: tools.map(tool),
  });

const SERVER = {
  displayName: 'Tracker',
  allowedHosts: ['tracker.example.com', 'other.example.com'],
  upstreamAuth: { mode: 'none' },
  bindings: [{ issuerId: 'home', audiences: ['api://gateway'] }],
};

const ISSUER = {
  kind: 'oidc',
  issuer: 'https://login.example.com/',
  jwksUri: 'https://login.example.com/keys',
  algorithms: ['RS256'],
  relation: 'home',
};

beforeEach(async () => {
  count += 1;
  tenant = `t${count}`;
  await call('PUT', '', { displayName: 'T', accessContact: '', fourEyes: false });
  expect((await call('PUT', '/issuers/home', ISSUER)).status).toBe(201);
  expect((await call('PUT', '/servers/tracker', SERVER)).status).toBe(201);
  expect((await publish('1', ['list', 'create'])).status).toBe(201);
  expect((await publish('2', ['list', 'create', 'erase'])).status).toBe(201);
  expect((await publish('3', ['list'], 'https://other.example.com/mcp')).status).toBe(201);
  expect((await activate('1')).status).toBe(200);
});

const w = (...weights: readonly (readonly [string, number])[]) =>
  weights.map(([version, weight]) => ({ version, weight }));

const ABORT = {
  version: '2',
  fallback: '1',
  windowSeconds: 60,
  minimumCalls: 20,
  limits: [{ signal: 'error-rate', maximum: 0.05 }],
};

const pointers = ({ body }: { readonly body: Body }) => body.errors.map(({ pointer }) => pointer);

describe('a split', () => {
  it('is absent at first, and then what was sent', async () => {
    const first = await call('GET', TRAFFIC);
    expect(first.body).toEqual({ activeVersion: '1', now: { weights: w(['1', 1]), tools: [] } });
    const sent = {
      weights: w(['1', 95], ['2', 5]),
      tools: [{ tool: 'list', weights: w(['1', 1], ['3', 1]) }],
      testers: [
        { version: '2', header: { name: 'x-canary', value: 'yes' } },
        { version: '2', principal: '["https://login.example.com/","ada"]' },
        { version: '3', group: { id: 'testers' } },
      ],
      abort: ABORT,
    };
    const answer = await putTraffic(sent);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      activeVersion: '1',
      now: { weights: sent.weights, tools: sent.tools },
      split: { ...sent, steps: [], withdrawn: [] },
    });
    expect((await call('GET', TRAFFIC)).body).toEqual(answer.body);
    expect((await putTraffic(answer.body.split)).body).toEqual(answer.body);
  });

  it('needs the ETag of what was read', async () => {
    const body = { weights: w(['2', 1]) };
    expect((await call('PUT', TRAFFIC, body)).status).toBe(428);
    const old = await etagOf(TRAFFIC);
    expect((await call('PUT', TRAFFIC, body, old)).status).toBe(200);
    expect((await call('PUT', TRAFFIC, body, old)).status).toBe(412);
  });

  it('takes steps by moment and by seconds from now, and says what holds now', async () => {
    const before = Date.now();
    const { body } = await putTraffic({
      weights: w(['1', 1]),
      steps: [
        { at: '2020-01-01T00:00:00Z', weights: w(['1', 9], ['2', 1]) },
        { afterSeconds: 600, weights: w(['2', 1]) },
      ],
    });
    expect(body.now.weights).toEqual(w(['1', 9], ['2', 1]));
    const at = Date.parse(body.split?.steps[1]?.at ?? '');
    expect(at).toBeGreaterThanOrEqual(before + 600_000);
    expect(at).toBeLessThanOrEqual(Date.now() + 600_000);
  });

  it('tells a dry run what it would change, and changes nothing', async () => {
    await call('PUT', '/grants/all', {
      serverId: 'tracker',
      subjects: [{ kind: 'group', id: 'staff' }],
      tools: ['*'],
      prompts: [],
      resources: [],
    });
    const { body } = await putTraffic({ weights: w(['1', 1], ['2', 1]) }, '?dryRun=true');
    expect(body.dryRun).toBe(true);
    expect(body.access.gained).toMatchObject([{ tools: ['erase'] }]);
    expect((await call('GET', TRAFFIC)).body.split).toBeUndefined();
  });
});

describe('what is wrong with a split is named', () => {
  const base = { weights: w(['1', 1]) };
  const REFUSED: readonly (readonly [string, object, string])[] = [
    ['a version that is not there', { weights: w(['1', 1], ['9', 1]) }, '/weights/1/version'],
    ['no version at all', { weights: [] }, '/weights'],
    ['nothing but zeros', { weights: w(['1', 0]) }, '/weights'],
    ['a version twice', { weights: w(['1', 1], ['1', 2]) }, '/weights'],
    ['half a share', { weights: [{ version: '1', weight: 0.5 }] }, '/weights/0/weight'],
    ['a negative share', { weights: w(['1', -1]) }, '/weights/0/weight'],
    [
      'a tool its version lacks',
      { ...base, tools: [{ tool: 'erase', weights: w(['2', 1], ['1', 0]) }] },
      '/tools/0/weights/1/version',
    ],
    [
      'a tool twice',
      {
        ...base,
        tools: [
          { tool: 'list', weights: w(['1', 1]) },
          { tool: 'list', weights: w(['2', 1]) },
        ],
      },
      '/tools',
    ],
    ['zeros for a tool', { ...base, tools: [{ tool: 'list', weights: w(['1', 0]) }] }, '/tools/0/weights'],
    ['a tester of nothing', { ...base, testers: [{ version: '2' }] }, '/testers/0'],
    [
      'a tester of two things',
      { ...base, testers: [{ version: '2', principal: 'a', group: { id: 'b' } }] },
      '/testers/0',
    ],
    [
      'a tester by a credential',
      { ...base, testers: [{ version: '2', header: { name: 'authorization', value: 'x' } }] },
      '/testers/0/header/name',
    ],
    [
      'a tester by a header of ours',
      { ...base, testers: [{ version: '2', header: { name: 'x-mcpgw-version', value: 'x' } }] },
      '/testers/0/header/name',
    ],
    [
      'a tester by a key',
      { ...base, testers: [{ version: '2', header: { name: 'x-api-key', value: 'x' } }] },
      '/testers/0/header/name',
    ],
    [
      'a tester of a version that is not there',
      { ...base, testers: [{ version: '9', principal: 'a' }] },
      '/testers/0/version',
    ],
    ['a step without a moment', { ...base, steps: [{ weights: w(['2', 1]) }] }, '/steps/0'],
    [
      'a step with two moments',
      { ...base, steps: [{ at: '2030-01-01T00:00:00Z', afterSeconds: 1, weights: w(['2', 1]) }] },
      '/steps/0',
    ],
    [
      'a moment of no calendar',
      { ...base, steps: [{ at: '2030-02-31T25:00:00Z', weights: w(['2', 1]) }] },
      '/steps/0/at',
    ],
    [
      'steps out of order',
      {
        ...base,
        steps: [
          { at: '2031-01-01T00:00:00Z', weights: w(['2', 1]) },
          { at: '2030-01-01T00:00:00Z', weights: w(['1', 1]) },
        ],
      },
      '/steps/1/at',
    ],
    [
      'a later version that is not there',
      { ...base, steps: [{ afterSeconds: 1, weights: w(['9', 1]) }] },
      '/steps/0/weights/0/version',
    ],
    ['a watch on a version without calls', { ...base, abort: ABORT }, '/abort/version'],
    [
      'a fallback to what is watched',
      { weights: w(['1', 1], ['2', 1]), abort: { ...ABORT, fallback: '2' } },
      '/abort/fallback',
    ],
    [
      'a fallback that is not there',
      { weights: w(['1', 1], ['2', 1]), abort: { ...ABORT, fallback: '9' } },
      '/abort/fallback',
    ],
    [
      'a limit nothing can pass',
      { weights: w(['1', 1], ['2', 1]), abort: { ...ABORT, limits: [{ signal: 'error-rate', maximum: 1 }] } },
      '/abort/limits/0/maximum',
    ],
    [
      'a signal twice',
      { weights: w(['1', 1], ['2', 1]), abort: { ...ABORT, limits: [ABORT.limits[0], ABORT.limits[0]] } },
      '/abort/limits',
    ],
    [
      'calls for what is withdrawn',
      { weights: w(['1', 1], ['2', 1]), withdrawn: ['2'] },
      '/weights/1/version',
    ],
    ['withdrawing what is not there', { ...base, withdrawn: ['9'] }, '/withdrawn/0'],
    ['a member nobody knows', { ...base, percent: 5 }, '/percent'],
  ];

  it.each(REFUSED)('%s', async (_what, body, pointer) => {
    const answer = await putTraffic(body);
    // 400: the form of the request; 422: what it says.
    expect([400, 422]).toContain(answer.status);
    expect(pointers(answer)).toContain(pointer);
    expect((await call('GET', TRAFFIC)).body.split).toBeUndefined();
  });

  it('a server without an active version has nothing to come back to', async () => {
    const other = { ...SERVER, bindings: [{ issuerId: 'home', audiences: ['api://other'] }] };
    expect((await call('PUT', '/servers/other', other)).status).toBe(201);
    const answer = await call('PUT', '/servers/other/traffic', base, await etagOf('/servers/other'));
    expect(answer.status).toBe(409);
    expect((await call('GET', '/servers/other/traffic')).body.now.weights).toEqual([]);
  });

  it('a host that is allowed no longer', async () => {
    const narrowed = { ...SERVER, allowedHosts: ['tracker.example.com'] };
    expect((await call('PUT', '/servers/tracker', narrowed, await etagOf('/servers/tracker'))).status).toBe(
      200,
    );
    const answer = await putTraffic({ weights: w(['1', 1], ['3', 1]) });
    expect({ status: answer.status, pointers: pointers(answer) }).toEqual({
      status: 422,
      pointers: ['/weights/1/version'],
    });
  });

  it('and a host cannot be taken from a version that gets calls', async () => {
    expect((await putTraffic({ weights: w(['1', 99], ['3', 1]) })).status).toBe(200);
    const narrowed = { ...SERVER, allowedHosts: ['tracker.example.com'] };
    const answer = await call('PUT', '/servers/tracker', narrowed, await etagOf('/servers/tracker'));
    expect(answer.body.errors).toMatchObject([{ pointer: '/allowedHosts' }]);
  });
});

describe('versions that are spoken to in different ways', () => {
  beforeEach(async () => {
    const live = {
      endpoints: ['https://tracker.example.com/live'],
      protocolVersions: ['2025-11-25'],
      tools: [tool('list')],
      transport: 'websocket',
    };
    for (const version of ['4', '5'])
      expect((await call('PUT', `/servers/tracker/versions/${version}`, live)).status).toBe(201);
  });

  it.each([
    ['calls', { weights: w(['1', 9], ['4', 1]) }, '/weights/1/version'],
    [
      'calls from a moment on',
      { weights: w(['1', 1]), steps: [{ afterSeconds: 60, weights: w(['4', 1], ['1', 1]) }] },
      '/steps/0/weights/1/version',
    ],
    [
      'calls of one tool and those of the others',
      { weights: w(['1', 1]), tools: [{ tool: 'list', weights: w(['4', 1]) }] },
      '/tools/0/weights/0/version',
    ],
    [
      'calls now and those after an abort',
      {
        weights: w(['1', 1]),
        testers: [{ version: '4', principal: 'a' }],
        abort: { ...ABORT, version: '4' },
      },
      '/abort/fallback',
    ],
  ])('do not share %s', async (_what, body, pointer) => {
    const answer = await putTraffic(body);
    expect(answer.status).toBe(422);
    expect(pointers(answer)).toEqual([pointer]);
  });

  it('may follow each other at a moment, be tried by testers, and share with their like', async () => {
    const split = {
      weights: w(['1', 1], ['4', 0]),
      testers: [{ version: '4', principal: 'a' }],
      steps: [{ afterSeconds: 60, weights: w(['4', 1], ['5', 1]) }],
    };
    expect((await putTraffic(split)).status).toBe(200);
  });
});

describe('no version gets calls by a split that could not by an activation', () => {
  const everyPlace: readonly (readonly [string, object])[] = [
    ['weights', { weights: w(['1', 99], ['2', 1]) }],
    ['a tool', { weights: w(['1', 1]), tools: [{ tool: 'list', weights: w(['2', 1]) }] }],
    ['a tester', { weights: w(['1', 1]), testers: [{ version: '2', principal: 'p' }] }],
    ['a step', { weights: w(['1', 1]), steps: [{ afterSeconds: 9, weights: w(['2', 1]) }] }],
    ['a fallback', { weights: w(['1', 1]), abort: { ...ABORT, version: '1', fallback: '2' } }],
  ];

  it.each(everyPlace)('%s', async (_place, body) => {
    await call('PUT', '', { displayName: 'T', accessContact: '', fourEyes: true }, await etagOf(''));
    const answer = await putTraffic(body);
    expect(answer.status).toBe(409);
    expect(answer.body.type).toContain('approval-required');
    expect(answer.body.review).toContain(`/v1/tenants/${tenant}/servers/tracker/versions/2/review`);
    expect((await call('GET', TRAFFIC)).body.split).toBeUndefined();
  });
});

describe('what ends a split', () => {
  it('is an activation: all calls go to that version', async () => {
    await putTraffic({ weights: w(['1', 1], ['2', 1]) });
    expect((await activate('2')).status).toBe(200);
    expect((await call('GET', TRAFFIC)).body).toEqual({
      activeVersion: '2',
      now: { weights: w(['2', 1]), tools: [] },
    });
  });

  it('is its removal: all calls go to the active version', async () => {
    await putTraffic({ weights: w(['2', 1]) });
    const answer = await call('DELETE', TRAFFIC, undefined, await etagOf(TRAFFIC));
    expect(answer.body).toEqual({ activeVersion: '1', now: { weights: w(['1', 1]), tools: [] } });
  });

  it('is not a replacing of the server', async () => {
    await putTraffic({ weights: w(['1', 1], ['2', 1]) });
    const renamed = { ...SERVER, displayName: 'Other' };
    expect((await call('PUT', '/servers/tracker', renamed, await etagOf('/servers/tracker'))).status).toBe(
      200,
    );
    expect((await call('GET', TRAFFIC)).body.split?.weights).toEqual(w(['1', 1], ['2', 1]));
  });
});

describe('what is withdrawn', () => {
  const revisionNow = async () => (await call('GET', '')).etag.replaceAll('"', '');
  const restore = async (revision: string) =>
    call('POST', `/revisions/${revision}/restore`, {}, await etagOf(''));

  it('stays so through another split, an activation and the end of the split', async () => {
    await putTraffic({ weights: w(['1', 1]), withdrawn: ['2'] });
    expect((await putTraffic({ weights: w(['1', 1], ['3', 1]) })).body.split?.withdrawn).toEqual(['2']);
    expect((await activate('3')).status).toBe(200);
    expect((await call('GET', TRAFFIC)).body.split?.withdrawn).toEqual(['2']);
    await call('DELETE', TRAFFIC, undefined, await etagOf(TRAFFIC));
    expect((await call('GET', TRAFFIC)).body.split).toMatchObject({ weights: w(['3', 1]), withdrawn: ['2'] });
  });

  it('cannot be activated, nor come back by the end of a split', async () => {
    await putTraffic({ weights: w(['2', 1]), withdrawn: ['1'] });
    expect((await call('DELETE', TRAFFIC, undefined, await etagOf(TRAFFIC))).status).toBe(409);
    const answer = await activate('1');
    expect({ status: answer.status, pointers: pointers(answer) }).toEqual({
      status: 422,
      pointers: ['/version'],
    });
  });

  it('is not brought back by a restore', async () => {
    await putTraffic({ weights: w(['1', 1], ['2', 1]) });
    const withCanary = await revisionNow();
    await putTraffic({ weights: w(['1', 1]), withdrawn: ['2'] });
    expect((await restore(withCanary)).status).toBe(409);
    await call('DELETE', TRAFFIC, undefined, await etagOf(TRAFFIC));
    const beforeAnyActivation = '6';
    expect((await restore(beforeAnyActivation)).status).toBe(409);
    expect((await call('GET', TRAFFIC)).body.split?.withdrawn).toEqual(['2']);
  });

  it('outlives a restore to a time before any split', async () => {
    const before = await revisionNow();
    await putTraffic({ weights: w(['1', 1], ['3', 1]), withdrawn: ['2'] });
    expect((await restore(before)).status).toBe(200);
    expect((await call('GET', TRAFFIC)).body.split).toMatchObject({ weights: w(['1', 1]), withdrawn: ['2'] });
  });

  it('is lifted by whoever names it', async () => {
    await putTraffic({ weights: w(['1', 1]), withdrawn: ['2'] });
    expect((await putTraffic({ weights: w(['2', 1]), withdrawn: [] })).status).toBe(200);
  });
});

it('a restore brings a split back', async () => {
  await putTraffic({ weights: w(['1', 95], ['2', 5]) });
  const { etag } = await call('GET', '');
  await call('DELETE', TRAFFIC, undefined, await etagOf(TRAFFIC));
  const answer = await call('POST', `/revisions/${etag.replaceAll('"', '')}/restore`, {}, await etagOf(''));
  expect(answer.status).toBe(200);
  expect((await call('GET', TRAFFIC)).body.split?.weights).toEqual(w(['1', 95], ['2', 5]));
});
