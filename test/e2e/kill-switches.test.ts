// Each kind of kill switch thrown on the running product: calls refused and idle streams ended within a second, nobody
// else touched; and what must not undo one: the clock too early, restarts without a registry, a restored revision.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS } from '#demo/directory.ts';
import {
  type Ask,
  createLegacyCalls,
  follow,
  LEGACY,
  reasonOf,
  type Stream,
  untilAnswer as until,
} from '#test/support/legacy-calls.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool, send, statelessRequest } from '#test/support/raw-call.ts';

const BOB = '10000000-bbbb-4bbb-8bbb-00000000000b';

let product: Product;
let admin: string;
let tracker: string;
let reports: string;
/** Tokens by caller; those for reports end in `Reports`. */
let tokens: Readonly<Record<'alice' | 'bob' | 'nightly' | 'aliceReports' | 'bobReports', string>>;

const api = async (method: string, path: string, body?: object, headers: Record<string, string> = {}) => {
  const response = await fetch(`${product.quickstart.registry}/v1/tenants/default${path}`, {
    method,
    headers: {
      authorization: `Bearer ${admin}`,
      'x-change-reason': 'test',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const etag = response.headers.get('etag') ?? '';
  const rollout = response.headers.get('rollout-state');
  return { status: response.status, etag, rollout, body: text === '' ? undefined : JSON.parse(text) };
};

const throwSwitch = async (id: string, target: object, more: object = {}): Promise<void> => {
  const answer = await api('PUT', `/kill-switches/${id}`, { target, ...more });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
};

const releaseAll = async (): Promise<void> => {
  const { body } = await api('GET', '/kill-switches');
  for (const { id } of body.items as { id: string }[]) {
    const { etag } = await api('GET', `/kill-switches/${id}`);
    const released = await api('DELETE', `/kill-switches/${id}`, undefined, { 'if-match': etag });
    expect(released.status).toBe(204);
  }
};

const listTracker =
  (token: string): Ask =>
  () =>
    send(tracker, statelessRequest('tools/list', {}, { token }));

const useTracker =
  (token: string, name = 'list_issues'): Ask =>
  () =>
    callTool(tracker, token, { name });

/** Asked without a session: the server refuses it, so what the gateway says is all that counts. */
const listReports = (token: string): Ask => ask(token, { id: 9, method: 'tools/list' });

const { post, ask, openSession, bodyless, ...legacy } = createLegacyCalls(() => reports);

const streams: Stream[] = [];

const openIdle = async (token: string): Promise<Stream> => {
  const stream = await legacy.openIdle(token);
  streams.push(stream);
  return stream;
};

/** The stream of a tool call that says nothing for five seconds at a time. */
const openCall = async (token: string): Promise<Stream> => {
  const params = {
    name: 'build_report',
    arguments: { title: 'e2e', stepMs: 5_000 },
    _meta: { progressToken: 1 },
  };
  const session = await openSession(token);
  const stream = follow(
    await post(token, { id: 2, method: 'tools/call', params }, session),
    new AbortController(),
  );
  streams.push(stream);
  return stream;
};

beforeAll(async () => {
  product = await startProduct();
  tracker = product.serverUrl('tracker');
  reports = product.serverUrl('reports');
  admin = await product.token('--admin');
  tokens = {
    alice: await product.token('alice'),
    bob: await product.token('bob'),
    nightly: await product.token('--app', 'nightly-report'),
    aliceReports: await product.token('alice', '--server', 'reports'),
    bobReports: await product.token('bob', '--server', 'reports'),
  };
  const granted = await api('PUT', '/grants/bob-reports', {
    serverId: 'reports',
    subjects: [{ kind: 'user', id: BOB }],
    tools: ['*'],
  });
  expect(granted.status).toBe(201);
  await until(listTracker(tokens.alice), undefined);
}, 300_000);
afterAll(() => product.stop());

afterEach(async () => {
  for (const stream of streams.splice(0)) stream.close();
  await releaseAll();
  await until(useTracker(tokens.alice), undefined);
  await until(useTracker(tokens.bob), undefined);
  await until(listReports(tokens.aliceReports), undefined);
});

/** Throws the switch and holds it against the second it has, from the moment the call is sent. */
const expectWithinASecond = async (
  target: object,
  { refused, ended }: { readonly refused: readonly [Ask, string]; readonly ended: Stream },
): Promise<void> => {
  const startedAt = performance.now();
  await throwSwitch('emergency', target);
  await until(...refused);
  const refusedMs = performance.now() - startedAt;
  const endedMs = (await ended.ended) - startedAt;
  expect({ refusedMs, endedMs }).toSatisfy(() => refusedMs < 1_000 && endedMs < 1_000);
};

/** Asked a few times, none of it is refused. */
const expectUntouched = async (...asks: readonly Ask[]): Promise<void> => {
  for (const ask of [...asks, ...asks]) expect(reasonOf(await ask())).toBeUndefined();
};

describe('a switch', () => {
  it('on a tenant refuses everybody and ends every stream; metadata is still answered', async () => {
    const idle = await openIdle(tokens.aliceReports);
    const call = await openCall(tokens.bobReports);
    await expectWithinASecond(
      { kind: 'tenant' },
      { refused: [useTracker(tokens.alice), 'tenant_disabled'], ended: idle },
    );
    await call.ended;
    const stranger = await send(tracker, statelessRequest('tools/list', {}, {}));
    expect([stranger.status, reasonOf(stranger)]).toEqual([503, 'tenant_disabled']);
    const path = new URL(tracker).pathname;
    const metadata = await fetch(`${new URL(tracker).origin}/.well-known/oauth-protected-resource${path}`);
    expect(metadata.status).toBe(200);
  });

  it('on a server refuses whatever is asked of it, and leaves the other server alone', async () => {
    const session = await openSession(tokens.aliceReports);
    const idle = await openIdle(tokens.aliceReports);
    const list = ask(tokens.aliceReports, { id: 3, method: 'tools/list' }, session);
    expect(reasonOf(await list())).toBeUndefined();
    await expectWithinASecond(
      { kind: 'server', serverId: 'reports' },
      { refused: [list, 'server_disabled'], ended: idle },
    );
    for (const method of ['GET', 'DELETE'] as const) {
      const answer = await bodyless(method, tokens.aliceReports, session);
      expect([answer.status, await answer.text()], method).toEqual([
        503,
        expect.stringContaining('server_disabled'),
      ]);
    }
    await expectUntouched(useTracker(tokens.alice), listTracker(tokens.bob));
  });

  it('on a tool refuses its calls, hides it, and ends its streams only', async () => {
    const [call, idle] = [await openCall(tokens.aliceReports), await openIdle(tokens.aliceReports)];
    const session = await openSession(tokens.aliceReports);
    const params = { name: 'build_report', arguments: { title: 'e2e', stepMs: 0 } };
    const build = ask(tokens.aliceReports, { id: 4, method: 'tools/call', params }, session);
    await expectWithinASecond(
      { kind: 'tool', serverId: 'reports', tool: 'build_report' },
      { refused: [build, 'tool_disabled'], ended: call },
    );
    const { text: list } = await ask(tokens.aliceReports, { id: 5, method: 'tools/list' }, session)();
    expect(list).toContain('watch_queue');
    expect(list).not.toContain('build_report');
    const resumed = await fetch(reports, {
      headers: {
        ...LEGACY,
        authorization: `Bearer ${tokens.aliceReports}`,
        'mcp-session-id': session,
        'last-event-id': 'e-1',
      },
    });
    expect([resumed.status, await resumed.text()]).toEqual([403, expect.stringContaining('tool_disabled')]);
    expect(idle.isOpen()).toBe(true);
    await expectUntouched(useTracker(tokens.alice));
  });

  it('on a tool counts in the stateless era too, and a caller without it learns nothing', async () => {
    await throwSwitch('emergency', { kind: 'tool', serverId: 'tracker', tool: 'close_issue' });
    await until(useTracker(tokens.alice, 'close_issue'), 'tool_disabled');
    expect((await listTracker(tokens.alice)()).text).not.toContain('close_issue');
    expect(reasonOf(await useTracker(tokens.bob, 'close_issue')())).toBe('tool_not_granted');
    await expectUntouched(useTracker(tokens.alice), useTracker(tokens.bob));
  });

  it('on a principal, as the decision log shows it, refuses that caller and nobody else', async () => {
    const lines = await product.decisions();
    const { principal } =
      lines.findLast(({ caller, tool }) => caller === 'user' && tool === 'list_issues') ?? {};
    expect(principal).toContain(BOB);
    const [his, hers] = [await openIdle(tokens.bobReports), await openIdle(tokens.aliceReports)];
    await expectWithinASecond(
      { kind: 'principal', principal },
      { refused: [useTracker(tokens.bob), 'caller_blocked'], ended: his },
    );
    const refused = await useTracker(tokens.bob)();
    expect(refused.message.error?.data).toMatchObject({ contact: 'ada@contoso.example' });
    expect(hers.isOpen()).toBe(true);
    await expectUntouched(useTracker(tokens.alice), useTracker(tokens.nightly));
    const line = (await product.decisions()).findLast(({ reason }) => reason === 'caller_blocked');
    expect(line).toMatchObject({ principal, decision: 'deny', facts: { killSwitch: 'emergency' } });
    expect(line).not.toHaveProperty('tokenSource');
  });

  it('on an application refuses everybody who comes with it, and leaves other applications alone', async () => {
    const idle = await openIdle(tokens.bobReports);
    await expectUntouched(useTracker(tokens.nightly));
    await expectWithinASecond(
      { kind: 'application', clientId: APPLICATION_IDS.demoCli.toUpperCase() },
      { refused: [useTracker(tokens.alice), 'application_blocked'], ended: idle },
    );
    expect(reasonOf(await useTracker(tokens.bob)())).toBe('application_blocked');
    await expectUntouched(useTracker(tokens.nightly));
  });
});

describe('an answer that was waited for', () => {
  it('says that the next call is refused', async () => {
    const answer = await api('PUT', '/kill-switches/emergency?wait=applied', { target: { kind: 'tenant' } });
    expect([answer.status, answer.rollout], JSON.stringify(answer.body)).toEqual([201, 'applied']);
    expect(reasonOf(await useTracker(tokens.alice)())).toBe('tenant_disabled');
  });
});

describe('an end', () => {
  it('is kept by the clock alone: refused until then, allowed within a second after', async () => {
    const end = Date.now() + 5_000;
    await throwSwitch('emergency', { kind: 'principal', id: BOB }, { until: new Date(end).toISOString() });
    await until(useTracker(tokens.bob), 'caller_blocked');
    const { body: before } = await api('GET', '');
    await until(useTracker(tokens.bob), undefined);
    const late = Date.now() - end;
    expect(late).toSatisfy((ms: number) => ms >= 0 && ms < 1_000);
    expect((await api('GET', '')).body).toEqual(before);
    const again = await openIdle(tokens.bobReports);
    expect(again.isOpen()).toBe(true);
  });
});

describe('nothing undoes a switch but its release:', () => {
  it('not a restart of ext-authz and ext-proc while the registry is away', async () => {
    await throwSwitch('lasting', { kind: 'principal', id: BOB });
    await until(useTracker(tokens.bob), 'caller_blocked');
    // A copy is written a few times a second (registry/feed/snapshot-keeper.ts).
    for (const service of ['ext-authz', 'ext-proc']) {
      const copy = join(product.process.localDirectory, 'state', `${service}.snapshot.json`);
      await expect.poll(() => readFileSync(copy, 'utf8')).toContain('lasting');
    }
    await product.pauseRestart('registry');
    try {
      for (const service of ['ext-authz', 'ext-proc']) {
        await product.kill(service);
        await expect.poll(() => product.isReady(service), { timeout: 30_000 }).toBe(true);
      }
      await until(useTracker(tokens.alice), undefined);
      expect(reasonOf(await useTracker(tokens.bob)())).toBe('caller_blocked');
    } finally {
      await product.resumeRestart('registry');
      await expect.poll(() => product.isReady('registry'), { timeout: 30_000 }).toBe(true);
    }
  }, 90_000);

  it('not the restore of a revision from before it', async () => {
    const { body } = await api('GET', '');
    await throwSwitch('emergency', { kind: 'principal', id: BOB });
    await until(useTracker(tokens.bob), 'caller_blocked');
    const removed = await api('DELETE', '/grants/bob-reports', undefined, { 'if-match': '*' });
    expect(removed.status).toBe(204);
    const asked = `/revisions/${body.revision}/restore`;
    const dry = await api('POST', `${asked}?dryRun=true`, undefined, { 'if-match': '*' });
    const { digest } = dry.body.access as { digest: string };
    const restored = await api('POST', `${asked}?confirmAddedAccess=${digest}`, undefined, {
      'if-match': '*',
    });
    expect(restored, JSON.stringify(restored.body)).toMatchObject({
      status: 200,
      body: { stillDifferent: ['kill-switches/emergency: created'] },
    });
    await until(useTracker(tokens.alice), undefined);
    expect(reasonOf(await useTracker(tokens.bob)())).toBe('caller_blocked');
  });
});
