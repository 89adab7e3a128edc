// Calls spread over two versions on the running product: real Envoy, servers on the official SDK that say which version
// they are, hundreds of callers with tokens of an issuer of their own.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { COUNT_TOOL, type CountingServer, startCountingServer } from '#test/support/counting-server.ts';
import { connectLegacy } from '#test/support/mcp-clients.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { type RawAnswer, send, statelessRequest } from '#test/support/raw-call.ts';
import {
  createTestKey,
  type KeyServer,
  publishKey,
  signWith,
  startKeyServer,
} from '#test/support/token-issuer.ts';
import { startVersionServer, type VersionServer, versionTools } from '#test/support/version-server.ts';
import { until } from '#test/support/xds-gateway.ts';

const TENANT = '/v1/tenants/canary';
const ISSUER = 'https://idp.example/canary';
const KEY = createTestKey('canary-1');

let product: Product;
let keys: KeyServer;
let one: VersionServer;
let two: VersionServer;
let counters: CountingServer[];
let url: string;

const tokenOf = (name: string, groups: readonly string[] = []): Promise<string> => {
  const now = Math.floor(Date.now() / 1_000);
  const times = { iat: now - 10, exp: now + 3_000 };
  const claims = { iss: ISSUER, aud: 'canary', sub: name, azp: 'client', scope: 'use', ...times };
  return signWith(KEY, { ...claims, groups: ['all', ...groups] });
};

const put = async (path: string, body: object): Promise<void> => {
  const answer = await product.registry('PUT', `${TENANT}${path}`, body, { 'if-none-match': '*' });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
};

const change = async (path: string, body: object): Promise<void> => {
  const at = `${TENANT}${path}?wait=applied&waitSeconds=30`;
  const answer = await product.registry('PUT', at, body, { 'if-match': '*' });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
};

const split = (body: object) => change('/servers/spread/traffic', { withdrawn: [], ...body });

const register = async (id: string, audience: string, versions: Readonly<Record<string, object>>) => {
  const endpoints = Object.values(versions).flatMap(
    (version) => (version as { endpoints: string[] }).endpoints,
  );
  await put(`/servers/${id}`, {
    displayName: id,
    allowedHosts: endpoints.map((endpoint) => new URL(endpoint).host),
    upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
    bindings: [{ issuerId: 'idp', audiences: [audience], requiredScopes: [] }],
  });
  for (const [name, version] of Object.entries(versions))
    await put(`/servers/${id}/versions/${name}`, version);
  await change(`/servers/${id}/active-version`, { version: Object.keys(versions)[0] ?? '' });
  await put(`/grants/${id}`, {
    serverId: id,
    subjects: [{ kind: 'group', id: 'all' }],
    tools: ['*'],
    prompts: [],
    resources: [],
  });
};

const PROTOCOLS = ['2025-06-18', '2025-11-25', '2026-07-28'];
const versionOf = (endpoint: string, tools: readonly object[]) => ({
  endpoints: [endpoint],
  protocolVersions: PROTOCOLS,
  tools,
});

beforeAll(async () => {
  product = await startProduct();
  keys = await startKeyServer([publishKey(KEY)]);
  one = await startVersionServer('1.0.0', ['which', 'other']);
  two = await startVersionServer('2.0.0', ['which', 'other', 'fresh']);
  counters = await Promise.all(['red', 'green'].map(startCountingServer));
  await put('', { displayName: 'Canary', accessContact: '', fourEyes: false });
  const claims = { groups: 'groups', roles: 'roles', scopes: 'scope', name: 'name' };
  await put('/issuers/idp', { kind: 'oidc', issuer: ISSUER, jwksUri: keys.url, relation: 'home', claims });
  await register('spread', 'canary', {
    '1.0.0': versionOf(one.url, versionTools(['which', 'other'])),
    '2.0.0': versionOf(two.url, versionTools(['which', 'other', 'fresh'])),
  });
  url = `${product.quickstart.gateway}/t/canary/mcp/spread`;
}, 300_000);
afterAll(async () => {
  await product?.stop();
  await keys?.stop();
  await Promise.all([one, two, ...(counters ?? [])].map((server) => server?.stop()));
});

beforeEach(() => {
  Object.assign(two.mood, { fail: false, delayMs: 0 });
});

type Call = { readonly tool?: string; readonly headers?: Record<string, string>; readonly id?: string };

const ask = async (
  token: string,
  { tool = 'which', headers = {}, id = 'e2e-1' }: Call = {},
): Promise<RawAnswer> =>
  send(url, statelessRequest('tools/call', { name: tool, arguments: {} }, { token, headers, id }));

/** Which version answered a call. */
const versionFor = async (token: string, call?: Call): Promise<string> => {
  const answer = await ask(token, call);
  const [content] = (answer.message.result?.['content'] ?? []) as { readonly text: string }[];
  return content?.text ?? `status ${answer.status}: ${answer.text}`;
};

const listedFor = async (token: string): Promise<readonly string[]> => {
  const answer = await send(url, statelessRequest('tools/list', {}, { token }));
  const tools = (answer.message.result?.['tools'] ?? []) as readonly { readonly name: string }[];
  return tools.map(({ name }) => name);
};

/** One after the other in a few lanes: the machine that tests is small. */
const mapAll = async <T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<U[]> => {
  const results: U[] = [];
  const next = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of next) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: 6 }, lane));
  return results;
};

const w = (first: number, second: number) => [
  { version: '1.0.0', weight: first },
  { version: '2.0.0', weight: second },
];

const reaches = async (token: string, version: string): Promise<void> => {
  await until(`calls reach ${version}`, async () => (await versionFor(token)) === version, 60_000);
};

describe('shares', () => {
  const NAMES = Array.from({ length: 500 }, (_, index) => `caller-${index}`);

  it('are those of callers; each keeps his version, and a share that grows is only joined', async () => {
    const tokens = await Promise.all(NAMES.map((name) => tokenOf(name)));
    await split({ weights: w(95, 5) });
    const five = await mapAll(tokens, (token) => versionFor(token));
    const share = (versions: readonly string[]) =>
      versions.filter((version) => version === '2.0.0').length / versions.length;
    expect(new Set(five)).toEqual(new Set(['1.0.0', '2.0.0']));
    expect(share(five)).toBeGreaterThan(0.02);
    expect(share(five)).toBeLessThan(0.08);
    expect(await mapAll(tokens.slice(0, 100), (token) => versionFor(token))).toEqual(five.slice(0, 100));

    await split({ weights: w(80, 20) });
    await until(
      'the new shares hold',
      async () => {
        const seen = await mapAll(tokens.slice(0, 60), (token) => versionFor(token));
        return share(seen) > share(five.slice(0, 60));
      },
      60_000,
    );
    const twenty = await mapAll(tokens, (token) => versionFor(token));
    expect(share(twenty)).toBeGreaterThan(0.14);
    expect(share(twenty)).toBeLessThan(0.26);
    const movedBack = five.filter((version, at) => version === '2.0.0' && twenty[at] !== version);
    expect(movedBack).toEqual([]);
  }, 180_000);

  it('show each caller the list of the version that his calls meet, and say in the log why', async () => {
    await split({ weights: w(1, 1) });
    const tokens = await Promise.all(NAMES.slice(0, 12).map((name) => tokenOf(name)));
    const seen = await mapAll(tokens, async (token) => [await versionFor(token), await listedFor(token)]);
    for (const [version, listed] of seen) expect(listed?.includes('fresh')).toBe(version === '2.0.0');
    expect(new Set(seen.map(([version]) => version)).size).toBe(2);
    const spread = (await product.decisions()).filter(({ server }) => server === 'spread').slice(-24);
    expect(new Set(spread.map(({ versionBy }) => versionBy))).toEqual(new Set(['weights']));
  }, 120_000);
});

describe('testers and single tools', () => {
  it('get what is meant for them, and nobody else does', async () => {
    const [plain, grouped, named] = [
      await tokenOf('plain'),
      await tokenOf('grouped', ['testers']),
      await tokenOf('ada'),
    ];
    await split({
      weights: w(1, 0),
      testers: [
        { version: '2.0.0', header: { name: 'x-canary', value: 'yes' } },
        { version: '2.0.0', group: { id: 'testers' } },
        { version: '2.0.0', principal: JSON.stringify([ISSUER, 'ada']) },
      ],
      tools: [{ tool: 'other', weights: w(0, 1) }],
    });
    await reaches(named, '2.0.0');
    expect(await versionFor(grouped)).toBe('2.0.0');
    expect(await versionFor(plain)).toBe('1.0.0');
    expect(await versionFor(plain, { headers: { 'x-canary': 'yes' } })).toBe('2.0.0');
    expect(await versionFor(plain, { headers: { 'x-canary': 'no' } })).toBe('1.0.0');
    expect(await versionFor(plain, { headers: { 'x-mcpgw-version': '2.0.0' } })).toBe('1.0.0');
    expect(await versionFor(plain, { tool: 'other' })).toBe('2.0.0');
    expect(await listedFor(plain)).toEqual(['which', 'other']);
    const reasons = (await product.decisions()).slice(-8).map(({ versionBy }) => versionBy);
    expect(new Set(reasons)).toEqual(new Set(['tester', 'tool-weights', 'weights']));
  }, 120_000);
});

/** Calls without a pause until it is told to end; what did not come from a version is a fault. */
const callOn = async (token: string, state: { isOver: boolean }) => {
  const seen: string[] = [];
  while (!state.isOver) seen.push(await versionFor(token));
  return seen;
};

describe('a shift', () => {
  it('of everything at once and back loses no call', async () => {
    const token = await tokenOf('shifted');
    await split({ weights: w(1, 0) });
    await reaches(token, '1.0.0');
    const state = { isOver: false };
    const calling = callOn(token, state);
    for (const [first, second, version] of [
      [0, 100, '2.0.0'],
      [100, 0, '1.0.0'],
      [0, 100, '2.0.0'],
    ] as const) {
      await split({ weights: w(first, second) });
      await reaches(token, version);
    }
    state.isOver = true;
    const seen = await calling;
    expect(seen.filter((version) => !['1.0.0', '2.0.0'].includes(version))).toEqual([]);
    const turns = seen.filter((version, at) => version !== seen[at - 1]);
    expect(turns).toEqual(['1.0.0', '2.0.0', '1.0.0', '2.0.0']);
  }, 120_000);

  it('by steps comes at its moments, also with the registry gone', async () => {
    const token = await tokenOf('stepped');
    await split({
      weights: w(1, 0),
      steps: [
        { afterSeconds: 6, weights: w(0, 1) },
        { afterSeconds: 9, weights: w(1, 0) },
      ],
    });
    const { body } = await product.registry('GET', `${TENANT}/servers/spread/traffic`);
    const [up, down] = (body as { split: { steps: { at: string }[] } }).split.steps.map(({ at }) =>
      Date.parse(at),
    );
    await product.pauseRestart('registry');
    try {
      await reaches(token, '1.0.0');
      await reaches(token, '2.0.0');
      expect(Date.now()).toBeGreaterThanOrEqual(up ?? 0);
      await reaches(token, '1.0.0');
      expect(Date.now()).toBeGreaterThanOrEqual(down ?? 0);
    } finally {
      await product.resumeRestart('registry');
      await until('the registry is back', () => product.isReady('registry'), 60_000);
    }
  }, 120_000);
});

describe('a session', () => {
  it('keeps its version through a shift, and ends when that is withdrawn', async () => {
    const [red, green] = counters;
    await register('sessions', 'canary-sessions', {
      '1.0.0': versionOf(red?.url ?? '', [COUNT_TOOL]),
      '2.0.0': versionOf(green?.url ?? '', [COUNT_TOOL]),
    });
    const now = Math.floor(Date.now() / 1_000);
    const times = { iat: now - 10, exp: now + 3_000 };
    const token = await signWith(KEY, {
      iss: ISSUER,
      aud: 'canary-sessions',
      sub: 'ada',
      scope: 'use',
      groups: ['all'],
      ...times,
    });
    const at = `${product.quickstart.gateway}/t/canary/mcp/sessions`;
    const replicaOf = async ({ client }: Awaited<ReturnType<typeof connectLegacy>>): Promise<string> => {
      const [content] = (await client.callTool({ name: 'count' })).content as { text: string }[];
      return (JSON.parse(content?.text ?? '') as { replica: string }).replica;
    };
    const session = await connectLegacy(at, token);
    expect(await replicaOf(session)).toBe('red');
    await change('/servers/sessions/traffic', { weights: w(0, 1) });
    await until(
      'new sessions are on green',
      async () => (await replicaOf(await connectLegacy(at, token))) === 'green',
      60_000,
    );
    expect(await replicaOf(session)).toBe('red');
    await change('/servers/sessions/traffic', { weights: w(0, 1), withdrawn: ['1.0.0'] });
    await until(
      'the session has ended',
      async () => {
        const answer = await fetch(at, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'mcp-session-id': session.transport.sessionId ?? '',
            'mcp-protocol-version': '2025-11-25',
          },
          body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
        });
        await answer.body?.cancel();
        return answer.status === 404;
      },
      60_000,
    );
    expect(await replicaOf(await connectLegacy(at, token))).toBe('green');
  }, 120_000);
});

describe('an abort', () => {
  const RULE = { version: '2.0.0', fallback: '1.0.0', windowSeconds: 10, minimumCalls: 20 };

  /** A caller of the new version. */
  const findCaller = async (): Promise<string> => {
    for (let index = 0; index < 100; index += 1) {
      const token = await tokenOf(`hit-${index}`);
      if ((await versionFor(token)) === '2.0.0') return token;
    }
    throw new Error('of a hundred callers with half the shares none has the new version');
  };

  it.each([
    ['failures', { signal: 'error-rate', maximum: 0.2 }, { fail: true, delayMs: 0 }],
    ['slowness', { signal: 'latency-p95', maximum: 100 }, { fail: false, delayMs: 400 }],
  ] as const)(
    'for %s brings all calls back within the window and two seconds',
    async (_what, limit, mood) => {
      await split({ weights: w(1, 1), abort: { ...RULE, limits: [limit] } });
      const token = await findCaller();
      Object.assign(two.mood, mood);
      const state = { isOver: false };
      const callers = Array.from({ length: 4 }, () => callOn(token, state));
      const tookMs = await until(
        'the version is out',
        async () => (await versionFor(token)) === '1.0.0',
        60_000,
      );
      state.isOver = true;
      await Promise.all(callers);
      console.info(`${limit.signal}: all calls back after ${tookMs} ms`);
      expect(tookMs).toBeLessThan((RULE.windowSeconds + 2) * 1_000);
      const { body } = await product.registry('GET', `${TENANT}/servers/spread/traffic`);
      expect(body).toMatchObject({
        now: { weights: [{ version: '1.0.0', weight: 1 }] },
        split: { withdrawn: ['2.0.0'] },
        lastAbort: { version: '2.0.0', fallback: '1.0.0', signal: limit.signal, limit: limit.maximum },
      });
      expect(await product.allLogs()).toContain('version taken out of service');
    },
    120_000,
  );
});

describe('a version that is activated as soon as it is published', () => {
  const RELEASE = '3.0.0';
  /** Of an xds-server that is busy. */
  const SLOW_MS = 1_000;

  it('costs no call: none is judged for it before Envoy has its routes', async () => {
    const token = await tokenOf('steady');
    const refused: string[] = [];
    let isOver = false;
    const keepAsking = async (): Promise<void> => {
      while (!isOver) {
        const answer = await ask(token);
        if (answer.status !== 200) refused.push(answer.text);
      }
    };
    const asking = keepAsking();
    product.signal('xds-server', 'SIGSTOP');
    setTimeout(() => product.signal('xds-server', 'SIGCONT'), SLOW_MS);
    const version = versionOf(two.url, versionTools(['which', 'other', 'fresh']));
    await put(`/servers/spread/versions/${RELEASE}`, version);
    const path = `${TENANT}/servers/spread/active-version`;
    const activated = await product.registry('PUT', path, { version: RELEASE }, { 'if-match': '*' });
    expect(activated.status, JSON.stringify(activated.body)).toBe(200);
    const isServed = async () =>
      (await product.decisions()).some((decision) => decision['version'] === RELEASE);
    await until('it is served', isServed, 30_000);
    isOver = true;
    await asking;
    expect(refused).toEqual([]);
  }, 120_000);
});
