// ?wait=applied over real HTTP on a real store. What consumers and Envoys report is said by the test, so that silence,
// refusals and the order of things are exact; rollout-envoy.test.ts has the real ones.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import { type Answer, startTestRegistry, type TestRegistry } from '#test/integration/registry-harness.ts';

const SETTINGS = { displayName: 'Acme', accessContact: 'admin@acme.example', allowedOrigins: [] };
const TYPE_URL = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration';

type Refusal = NonNullable<NonNullable<ConsumerEntry['status']>['nodes']>[number]['rejected'][number];

let registry: TestRegistry;
let count = 0;
let tenant = '';
/** How the Envoy of the test answers a commit; undefined: it stays silent. */
let answer: ((sequence: number) => readonly Refusal[]) | undefined;

const report = (sequence: number, rejected: readonly Refusal[]): void => {
  registry.report([
    {
      consumer: 'xds-server',
      connected: true,
      since: new Date().toISOString(),
      sentSequence: sequence,
      status: { sequence, nodes: [{ nodeId: 'edge-1', acknowledgedSequence: sequence, rejected }] },
      reportedAt: new Date().toISOString(),
    },
  ]);
};

beforeAll(async () => {
  registry = await startTestRegistry();
  registry.store.onCommit(() => {
    void registry.store.lastSequence().then((sequence) => {
      if (answer !== undefined) report(sequence, answer(sequence));
    });
  });
});
afterAll(() => registry.stop());

const takesAll = () => [];

const call = (method: string, path: string, body?: unknown, headers = {}): Promise<Answer> =>
  registry.call(method, `/v1/tenants/${tenant}${path}`, { ...(body === undefined ? {} : { body }), headers });

const tag = async (path: string) => ({ 'if-match': (await call('GET', path)).etag });

const rename = async (displayName: string, query = ''): Promise<Answer> =>
  call('PATCH', query, { displayName }, await tag(''));

const nameNow = async () => ((await call('GET', '')).body as unknown as { displayName: string }).displayName;

const refusing =
  (tenantId: string, culprit: () => number) =>
  (sequence: number): readonly Refusal[] =>
    sequence < culprit()
      ? []
      : [
          {
            typeUrl: TYPE_URL,
            resource: `tenant/${tenantId}`,
            tenantId,
            message: `bad routes in tenant/${tenantId}`,
            arrived: { after: culprit() - 1, upTo: culprit() },
          },
        ];

beforeEach(async () => {
  answer = takesAll;
  tenant = `acme-${++count}`;
  await registry.call('PUT', `/v1/tenants/${tenant}`, { body: SETTINGS });
});

describe('?wait=applied', () => {
  it('answers as usual once everybody has the change, and says so', async () => {
    const { status, headers, body, etag } = await rename('Applied', '?wait=applied');
    expect(status).toBe(200);
    expect(headers.get('rollout-state')).toBe('applied');
    expect(headers.get('link')).toBe(`</v1/tenants/${tenant}/rollout/2>; rel="status"`);
    expect(body).toMatchObject({ displayName: 'Applied', revision: 2 });
    expect(etag).toBe('"2"');
  });

  it('says nothing of a rollout that nobody asked about', async () => {
    const { headers } = await rename('Quiet');
    expect(headers.has('rollout-state')).toBe(false);
    expect(headers.has('link')).toBe(false);
  });

  it('answers 202 with the usual body when the time is up, and names the silent in the rollout', async () => {
    answer = undefined;
    const startedAt = performance.now();
    const pending = await rename('Silent', '?wait=applied&waitSeconds=1');
    const tookMs = performance.now() - startedAt;
    expect(pending.status).toBe(202);
    expect(pending.headers.get('rollout-state')).toBe('pending');
    expect(pending.body).toMatchObject({ displayName: 'Silent', revision: 2 });
    expect(pending.etag).toBe('"2"');
    expect(tookMs).toBeGreaterThan(990);
    expect(tookMs).toBeLessThan(8_000);
    const link = pending.headers.get('link')?.replace(/^<([^>]*)>.*/, '$1') ?? '';
    expect((await registry.call('GET', link)).body).toMatchObject({
      state: 'pending',
      consumers: [{ consumer: 'xds-server', state: 'pending' }],
    });
  });

  it('answers 202 at once where 32 requests of the tenant wait already; those of others still wait', async () => {
    answer = undefined;
    const waiting: Promise<Answer>[] = [];
    const startWaiting = async (): Promise<number> => {
      const target = (await registry.store.lastSequence()) + 1;
      waiting.push(rename(`Number ${target}`, '?wait=applied&waitSeconds=30'));
      while ((await registry.store.lastSequence()) < target) await new Promise(setImmediate);
      return target;
    };
    for (let started = 0; started < 32; started += 1) await startWaiting();
    const pending = await rename('One too many', '?wait=applied&waitSeconds=30');
    expect([pending.status, pending.headers.get('rollout-state')]).toEqual([202, 'pending']);
    expect(pending.headers.get('link')).toBe(`</v1/tenants/${tenant}/rollout/34>; rel="status"`);
    expect(pending.body).toMatchObject({ displayName: 'One too many', revision: 34 });
    tenant = `acme-${++count}`;
    await registry.call('PUT', `/v1/tenants/${tenant}`, { body: SETTINGS });
    report(await startWaiting(), []);
    const states = (await Promise.all(waiting)).map(({ headers }) => headers.get('rollout-state'));
    expect(states).toEqual(Array(33).fill('applied'));
  });

  it('is over as soon as the last one reports', async () => {
    answer = undefined;
    const waiting = rename('Late', '?wait=applied&waitSeconds=30');
    const target = (await registry.store.lastSequence()) + 1;
    while ((await registry.store.lastSequence()) < target) await new Promise(setImmediate);
    report(target, []);
    expect((await waiting).headers.get('rollout-state')).toBe('applied');
  });

  it('takes back what an Envoy refuses, and says what it refused', async () => {
    const culprit = (await registry.store.lastSequence()) + 1;
    answer = refusing(tenant, () => culprit);
    const refused = await rename('Refused', '?wait=applied');
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      type: 'urn:mcpgw:problem:rollout-rejected',
      rollout: `/v1/tenants/${tenant}/rollout/2`,
      revision: 2,
      rejected: [
        { nodeId: 'edge-1', resource: `tenant/${tenant}`, message: `bad routes in tenant/${tenant}` },
      ],
      compensation: { revision: 3, restored: ['tenant'], kept: [] },
    });
    expect(refused.headers.has('etag')).toBe(false);
    expect(await nameNow()).toBe('Acme');
    const [newest] = (await call('GET', '/audit')).body.items;
    expect(newest).toMatchObject({ action: 'compensate revisions/2', actor: expect.stringContaining('ada') });
  });

  it('leaves alone what somebody has changed since, and says so', async () => {
    answer = undefined;
    const culprit = (await registry.store.lastSequence()) + 1;
    const waiting = rename('Refused', '?wait=applied&waitSeconds=30');
    while ((await registry.store.lastSequence()) < culprit) await new Promise(setImmediate);
    await rename('By somebody else');
    report(culprit + 1, refusing(tenant, () => culprit)(culprit + 1));
    expect((await waiting).body).toMatchObject({
      type: 'urn:mcpgw:problem:rollout-rejected',
      compensation: {
        revision: null,
        restored: [],
        kept: [{ resource: 'tenant', because: 'touched-since' }],
      },
    });
    expect(await nameNow()).toBe('By somebody else');
  });

  it('takes nothing back where revisions reached the Envoys together', async () => {
    answer = undefined;
    const first = (await registry.store.lastSequence()) + 1;
    const waiting = rename('One of two', '?wait=applied&waitSeconds=30');
    while ((await registry.store.lastSequence()) < first) await new Promise(setImmediate);
    await rename('Two of two');
    const [refusal] = refusing(tenant, () => first)(first);
    report(first + 1, [{ ...(refusal as Refusal), arrived: { after: first - 1, upTo: first + 1 } }]);
    expect((await waiting).body).toMatchObject({
      compensation: { revision: null, kept: [{ resource: 'tenant', because: 'not-alone' }] },
    });
  });

  it('gives the answer after the waiting again to who sends the same key again', async () => {
    await rename('Second');
    const culprit = (await registry.store.lastSequence()) + 1;
    answer = refusing(tenant, () => culprit);
    const headers = { ...(await tag('')), 'idempotency-key': `key-of-${tenant}` };
    const restore = () => call('POST', '/revisions/1/restore?wait=applied', undefined, headers);
    const [first, second] = [await restore(), await restore()];
    expect(first).toMatchObject({
      status: 409,
      body: { compensation: { revision: 4, restored: ['tenant'] } },
    });
    expect([second.status, second.body]).toEqual([409, first.body]);
    expect(second.headers.get('rollout-state')).toBe('rejected');
    expect(await nameNow()).toBe('Second');
  });

  it('does not take back what another call has made so', async () => {
    const culprit = (await registry.store.lastSequence()) + 1;
    answer = refusing(tenant, () => culprit);
    await rename('Refused');
    const again = await rename('Refused', '?wait=applied');
    expect(again.body).toMatchObject({
      compensation: { revision: null, kept: [{ resource: 'tenant', because: 'not-by-this-call' }] },
    });
    expect(await nameNow()).toBe('Refused');
  });

  it('never tells what was refused of another tenant', async () => {
    const culprit = (await registry.store.lastSequence()) + 1;
    const both = (sequence: number) => [
      ...refusing(tenant, () => culprit)(sequence),
      ...refusing('other-tenant', () => culprit)(sequence),
    ];
    answer = both;
    expect(JSON.stringify(await rename('Refused', '?wait=applied'))).not.toContain('other-tenant');
    answer = refusing('other-tenant', () => culprit);
    expect((await rename('Mine is fine', '?wait=applied')).headers.get('rollout-state')).toBe('applied');
  });

  it('waits for removals too', async () => {
    const removed = await call('DELETE', '?wait=applied', undefined, await tag(''));
    expect([removed.status, removed.headers.get('rollout-state')]).toEqual([204, 'applied']);
    answer = undefined;
    tenant = `acme-${++count}`;
    await registry.call('PUT', `/v1/tenants/${tenant}`, { body: SETTINGS });
    const silent = await call('DELETE', '?wait=applied&waitSeconds=1', undefined, await tag(''));
    expect([silent.status, silent.headers.get('rollout-state')]).toEqual([202, 'pending']);
  });

  it('does not wait for a change that was refused or only tried', async () => {
    answer = undefined;
    const stale = await call('PATCH', '?wait=applied', { displayName: 'x' }, { 'if-match': '"9"' });
    expect([stale.status, stale.headers.has('rollout-state')]).toEqual([412, false]);
  });

  it.each(['wait=everywhere', 'wait=applied&waitSeconds=31', 'wait=applied&waitSeconds=0'])(
    'refuses ?%s, naming the parameter',
    async (query) => {
      const refused = await rename('x', `?${query}`);
      expect(refused.status).toBe(400);
      expect(refused.body.errors[0]?.in).toBe('query');
      expect(await nameNow()).toBe('Acme');
    },
  );

  it('lets go of those who wait when the registry stops', async () => {
    const stopping = await startTestRegistry();
    await stopping.call('PUT', '/v1/tenants/acme', { body: SETTINGS });
    const waiting = stopping
      .call('PATCH', '/v1/tenants/acme?wait=applied&waitSeconds=30', {
        body: { displayName: 'x' },
        headers: { 'if-match': '"1"' },
      })
      .then(
        () => 'answered',
        () => 'closed',
      );
    while ((await stopping.store.lastSequence()) < 2) await new Promise(setImmediate);
    const startedAt = performance.now();
    await stopping.stop();
    expect(['answered', 'closed']).toContain(await waiting);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe('an activation', () => {
  const HOST = 'tracker.example.com';
  const VERSION = {
    endpoints: [`https://${HOST}/mcp`],
    protocolVersions: ['2025-11-25'],
    tools: [{ name: 'read', inputSchema: { type: 'object' } }],
  };

  beforeEach(async () => {
    await call('PATCH', '', { fourEyes: false }, await tag(''));
    await call('PUT', '/issuers/home', {
      kind: 'oidc',
      issuer: 'https://login.example.com/',
      jwksUri: 'https://login.example.com/keys',
      relation: 'home',
    });
    await call('PUT', '/servers/tracker', {
      displayName: 'Tracker',
      allowedHosts: [HOST],
      upstreamAuth: { mode: 'none' },
      bindings: [{ issuerId: 'home', audiences: ['api://gateway'] }],
    });
    answer = undefined;
    expect((await call('PUT', '/servers/tracker/versions/1.0.0', VERSION)).status).toBe(201);
  });

  const activate = async (): Promise<Answer> =>
    call('PUT', '/servers/tracker/active-version', { version: '1.0.0' }, await tag('/servers/tracker'));

  it('is committed once the Envoys have the version, and not before', async () => {
    const published = await registry.store.lastSequence();
    let isAnswered = false;
    const activating = activate().finally(() => {
      isAnswered = true;
    });
    // As long as the registry takes for some changes it does not hold back.
    for (let round = 0; round < 5; round += 1) await rename(`Meanwhile ${round}`);
    expect([isAnswered, await registry.store.lastSequence()]).toEqual([false, published + 5]);
    report(published, []);
    expect((await activating).status).toBe(200);
  });

  it('is held up by no Envoy that is stuck', async () => {
    expect((await activate()).status).toBe(200);
  });
});
