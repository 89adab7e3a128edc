// The automatic abort on a real registry: figures come in as the feed brings them, and what the limits of a split make
// of them is seen through the API, the audit and the log.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CallFigures, latencyBucket, NO_FIGURES, type VersionFigures } from '#core/call-figures.ts';
import { createCanaryWatch } from '#registry/canary/watch.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';

let registry: TestRegistry;
let tenant = '';
let count = 0;
let nowMs = 0;

beforeAll(async () => {
  registry = await startTestRegistry();
});

afterAll(() => registry.stop());

type Body = Answer['body'] & {
  readonly split?: object;
  readonly lastAbort?: object;
  readonly now: { readonly weights: object };
  readonly items: readonly { readonly actor: string; readonly action: string; readonly reason: string }[];
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

const putTraffic = async (body: unknown) => {
  const answer = await call('PUT', TRAFFIC, body, await etagOf(TRAFFIC));
  expect(answer.status).toBe(200);
  return answer;
};

const w = (...weights: readonly (readonly [string, number])[]) =>
  weights.map(([version, weight]) => ({ version, weight }));

const ABORT = {
  version: '2',
  fallback: '1',
  windowSeconds: 60,
  minimumCalls: 20,
  limits: [
    { signal: 'error-rate', maximum: 0.1 },
    { signal: 'latency-p95', maximum: 500 },
  ],
};

const CANARY = {
  weights: w(['1', 90], ['2', 10]),
  testers: [
    { version: '2', principal: 'a tester of the new one' },
    { version: '3', principal: 'a tester of another' },
  ],
  steps: [{ afterSeconds: 3_600, weights: w(['2', 1]) }],
  abort: ABORT,
};

beforeEach(async () => {
  count += 1;
  tenant = `t${count}`;
  nowMs = 1_000_000;
  const issuer = {
    kind: 'oidc',
    issuer: 'https://login.example.com',
    jwksUri: 'https://login.example.com/keys',
    relation: 'home',
  };
  const server = {
    displayName: 'Tracker',
    allowedHosts: ['tracker.example.com'],
    upstreamAuth: { mode: 'none' },
    bindings: [{ issuerId: 'home', audiences: ['api://gateway'] }],
  };
  const version = {
    endpoints: ['https://tracker.example.com/mcp'],
    protocolVersions: ['2025-11-25'],
    tools: [{ name: 'list', inputSchema: { type: 'object' } }],
  };
  await call('PUT', '', { displayName: 'T', accessContact: '', fourEyes: false });
  await call('PUT', '/issuers/home', issuer);
  await call('PUT', '/servers/tracker', server);
  for (const name of ['1', '2', '3']) await call('PUT', `/servers/tracker/versions/${name}`, version);
  const activated = await call(
    'PUT',
    '/servers/tracker/active-version',
    { version: '1' },
    await etagOf('/servers/tracker'),
  );
  expect(activated.status).toBe(200);
  await putTraffic(CANARY);
});

const seen = (calls: number, errors = 0, latencyMs = 20, version = '2'): VersionFigures => {
  const latency = NO_FIGURES.latency.map((_, index) => (index === latencyBucket(latencyMs) ? calls : 0));
  const figures: CallFigures = { calls, errors, latency };
  return { tenantId: tenant, serverId: 'tracker', version, figures };
};

const startWatch = () => {
  const metrics = createMetrics(`registry-${Math.random()}`);
  return {
    metrics,
    watch: createCanaryWatch({ context: registry.context, metrics, monotonicMs: () => nowMs }),
  };
};

/** What is left of the split after these reports, one after the other. */
const judged = async (...reports: readonly (readonly VersionFigures[])[]) => {
  const { watch } = startWatch();
  for (const report of reports) watch.take(report);
  await watch.stop();
  return (await call('GET', TRAFFIC)).body;
};

const lastRevision = async (): Promise<number> =>
  (await call('GET', '/revisions')).body.items[0]?.number ?? 0;

describe('a version that fails more than it may', () => {
  it('gets no more calls: all go to the fallback, later steps are off, its testers too', async () => {
    const body = await judged([seen(40, 10)]);
    expect(body.now.weights).toEqual(w(['1', 1]));
    expect(body.split).toEqual({
      weights: w(['1', 1]),
      tools: [],
      testers: [{ version: '3', principal: 'a tester of another' }],
      steps: [],
      withdrawn: ['2'],
    });
    expect(body.lastAbort).toEqual({
      at: expect.any(String),
      version: '2',
      fallback: '1',
      signal: 'error-rate',
      value: 0.25,
      limit: 0.1,
      calls: 40,
    });
  });

  it('is in the revisions, the audit and the log, with the figures', async () => {
    await judged([seen(40, 10)]);
    const record = {
      actor: 'gateway',
      action: 'abort version 2 of servers/tracker',
      reason: 'error-rate of 25 % is over 10 %, in 40 calls of 60 s',
    };
    expect((await call('GET', '/revisions')).body.items[0]).toMatchObject(record);
    expect((await call('GET', '/audit')).body.items[0]).toMatchObject(record);
    const line = registry.logLines.find((text) => text.includes('version taken out of service'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      level: 'warn',
      version: '2',
      fallback: '1',
      value: 0.25,
    });
  });

  it('is counted once, by its first limit', async () => {
    const { metrics, watch } = startWatch();
    for (let report = 0; report < 5; report += 1) watch.take([seen(40, 40)]);
    await watch.stop();
    expect((await metrics.render()).body).toMatch(
      new RegExp(`mcpgw_canary_aborts_total\\{[^}]*tenant="${tenant}"[^}]*signal="error-rate"[^}]*\\} 1\\b`),
    );
  });
});

describe('what is judged', () => {
  it('is the sum of what all reporters saw', async () => {
    expect((await judged([seen(15, 2)], [seen(15, 2)])).lastAbort).toMatchObject({ calls: 30 });
  });

  it('is also how slow it is', async () => {
    expect((await judged([seen(30, 0, 900)])).lastAbort).toMatchObject({
      signal: 'latency-p95',
      value: 1_000,
    });
  });

  it.each([
    ['too few calls', [seen(19, 19)]],
    ['as many failures as are allowed', [seen(40, 4)]],
    ['failures of the version that is not watched', [seen(40, 40, 20, '1')]],
  ])('leaves the split as it is after %s', async (_what, [figures]) => {
    const mine = { ...(figures as VersionFigures), tenantId: tenant };
    expect((await judged([mine])).lastAbort).toBeUndefined();
  });

  it('is no longer what is older than the window', async () => {
    const { watch } = startWatch();
    watch.take([seen(15, 15)]);
    await watch.stop();
    nowMs += 61_000;
    watch.take([seen(15, 0)]);
    await watch.stop();
    expect((await call('GET', TRAFFIC)).body.lastAbort).toBeUndefined();
  });

  it('goes on after figures of a tenant and a server that are gone', async () => {
    const gone = { ...seen(40, 40), tenantId: 'nobody' };
    const unknown = { ...seen(40, 40), serverId: 'nothing' };
    expect((await judged([gone, unknown], [seen(40, 40)])).lastAbort).toBeDefined();
  });
});

describe('two who write at once', () => {
  it('an owner who has raised the limit meanwhile is obeyed: the figures are judged again', async () => {
    const { store } = registry.context;
    const { write } = store;
    let isFirst = true;
    const racing = {
      ...store,
      write: async (...parameters: Parameters<typeof write>) => {
        if (isFirst) {
          isFirst = false;
          const limits = [{ signal: 'error-rate', maximum: 0.9 }];
          await putTraffic({ ...CANARY, abort: { ...ABORT, limits } });
        }
        return write(...parameters);
      },
    };
    const metrics = createMetrics('registry-racing');
    const context = { ...registry.context, store: racing };
    const watch = createCanaryWatch({ context, metrics, monotonicMs: () => nowMs });
    watch.take([seen(40, 20)]);
    await watch.stop();
    expect(isFirst).toBe(false);
    const { body } = await call('GET', TRAFFIC);
    expect(body.lastAbort).toBeUndefined();
    expect(body.split).toMatchObject({ weights: CANARY.weights });
  });

  it('of two registries that saw the same, one aborts and the other finds it done', async () => {
    const before = await lastRevision();
    const [one, two] = [startWatch().watch, startWatch().watch];
    one.take([seen(40, 40)]);
    two.take([seen(40, 40)]);
    await Promise.all([one.stop(), two.stop()]);
    expect(await lastRevision()).toBe(before + 1);
  });
});

describe('after an abort', () => {
  it('the version is back only by name, and is then judged by what is seen from there on', async () => {
    const { watch } = startWatch();
    watch.take([seen(40, 40)]);
    await watch.stop();
    const again = await call('PUT', TRAFFIC, CANARY, await etagOf(TRAFFIC));
    expect(again.status).toBe(422);
    await putTraffic({ ...CANARY, withdrawn: [] });
    watch.take([seen(40, 0)]);
    await watch.stop();
    expect((await call('GET', TRAFFIC)).body.split).toMatchObject({ weights: CANARY.weights });
  });

  it('a restore to before does not bring it back', async () => {
    const before = await lastRevision();
    await judged([seen(40, 40)]);
    const answer = await call('POST', `/revisions/${before}/restore`, undefined, await etagOf(''));
    expect(answer.status).toBe(409);
    expect(answer.body.errors[0]?.message).toContain('version 2 is withdrawn');
  });
});
