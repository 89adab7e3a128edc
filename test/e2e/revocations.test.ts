// What is revoked, through the whole product: the next call is refused everywhere, open streams end, sessions are dead, and
// whoever signs in anew is let in at once. It outlives restarts and the registry, and what one exchange reveals counts for
// every token of that person.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS, CONTOSO_TID } from '#demo/directory.ts';
import { buildSeedWorld } from '#demo/seed-world.ts';
import {
  type Ask,
  createLegacyCalls,
  reasonOf,
  type Stream,
  untilAnswer,
} from '#test/support/legacy-calls.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool, send, statelessRequest } from '#test/support/raw-call.ts';
import { until } from '#test/support/xds-gateway.ts';

const ALICE = '10000000-aaaa-4aaa-8aaa-00000000000a';
const BOB = '10000000-bbbb-4bbb-8bbb-00000000000b';
const DEFAULT = '/v1/tenants/default';

let product: Product;
const legacy = createLegacyCalls(() => product.serverUrl('reports'));
const streams: Stream[] = [];

const useTracker =
  (token: string): Ask =>
  () =>
    callTool(product.serverUrl('tracker'), token, { name: 'list_issues' });

const listTracker =
  (token: string): Ask =>
  () =>
    send(product.serverUrl('tracker'), statelessRequest('tools/list', {}, { token }));

const revoke = async (target: object, path = DEFAULT): Promise<{ readonly notBefore: string }> => {
  const answer = await product.registry('POST', `${path}/revocations`, { target, reason: 'laptop stolen' });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body as { readonly notBefore: string };
};

/** A token of somebody who has signed in after the mark. */
const signInAfter = async (notBefore: string, ...args: string[]): Promise<string> => {
  await until('the second of the mark is over', () => Date.now() >= Date.parse(notBefore), 5_000);
  return product.token(...args);
};

const openIdle = async (token: string): Promise<Stream> => {
  const stream = await legacy.openIdle(token);
  streams.push(stream);
  return stream;
};

const controlProvider = async (path: string, order: object): Promise<void> => {
  const { origin } = new URL(product.quickstart.issuer);
  const answer = await fetch(`${origin}/control/${path}`, { method: 'POST', body: JSON.stringify(order) });
  expect(answer.ok).toBe(true);
};

beforeAll(async () => {
  product = await startProduct();
  const granted = await product.registry(
    'PUT',
    `${DEFAULT}/grants/both-reports`,
    { serverId: 'reports', subjects: [ALICE, BOB].map((id) => ({ kind: 'user', id })), tools: ['*'] },
    { 'if-none-match': '*' },
  );
  expect(granted.status, JSON.stringify(granted.body)).toBe(201);
}, 300_000);

afterAll(async () => {
  for (const stream of streams) stream.close();
  await product.stop();
});

/** A tenant of its own that trusts the same directory; its server has no version, which is told to those who are let in. */
const registerAcme = async (): Promise<string> => {
  const providerOrigin = new URL(product.quickstart.issuer).origin;
  const world = buildSeedWorld({ providerOrigin, trackerPort: 1, reportsPort: 2 });
  const [contoso] = world.issuers;
  if (contoso === undefined) throw new Error('the sample world has changed');
  const { id, ...issuer } = contoso;
  const put = async (path: string, body: object): Promise<void> => {
    const answer = await product.registry('PUT', `/v1/tenants/acme${path}`, body, { 'if-none-match': '*' });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  };
  await put('', { displayName: 'Acme', accessContact: '', fourEyes: false });
  await put(`/issuers/${id}`, issuer);
  await put('/servers/empty', {
    displayName: 'Empty',
    allowedHosts: ['127.0.0.1:1'],
    upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
    bindings: [{ issuerId: id, audiences: [APPLICATION_IDS.gatewayTracker], requiredScopes: ['tools.use'] }],
  });
  return `${product.quickstart.gateway}/t/acme/mcp/empty`;
};

describe('an operator', () => {
  it('ends everything that somebody holds, and nothing of anybody else', async () => {
    const [alice, aliceReports] = [
      await product.token('alice'),
      await product.token('alice', '--server', 'reports'),
    ];
    const [bob, bobReports] = [await product.token('bob'), await product.token('bob', '--server', 'reports')];
    for (const token of [alice, bob]) await untilAnswer(useTracker(token), undefined);
    const [hers, his] = [await openIdle(aliceReports), await openIdle(bobReports)];
    const session = await legacy.openSession(aliceReports);

    const acme = await registerAcme();
    const atAcme: Ask = () => send(acme, statelessRequest('tools/list', {}, { token: alice }));
    await untilAnswer(atAcme, 'version_unavailable');

    const running = useTracker(alice);
    const startedAt = performance.now();
    const { notBefore } = await revoke({ kind: 'directory-user', tid: CONTOSO_TID, oid: ALICE });
    await untilAnswer(running, 'token_revoked');
    process.stdout.write(
      `operators' API: ${((performance.now() - startedAt) / 1000).toFixed(3)} s to the first refused call\n`,
    );

    const refused = await running();
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
    for (const ask of [
      running,
      listTracker(alice),
      legacy.ask(aliceReports, { id: 2, method: 'ping' }, session),
    ])
      expect(reasonOf(await ask())).toBe('token_revoked');
    await hers.ended;

    expect(his.isOpen()).toBe(true);
    for (const ask of [useTracker(bob), listTracker(bob), useTracker(bob)])
      expect(reasonOf(await ask())).toBeUndefined();
    expect(reasonOf(await atAcme()), 'the same person in another tenant').toBe('version_unavailable');

    expect(reasonOf(await useTracker(await signInAfter(notBefore, 'alice'))())).toBeUndefined();
    const anew = await product.token('alice', '--server', 'reports');
    const old = await legacy.ask(anew, { id: 3, method: 'ping' }, session)();
    expect([old.status, reasonOf(old)]).toEqual([404, 'session_unknown']);
    expect((await openIdle(anew)).isOpen()).toBe(true);
    expect(reasonOf(await running())).toBe('token_revoked');
  }, 120_000);

  it('ends one token, and the person’s others go on', async () => {
    const [lost, kept] = [await product.token('bob'), await product.token('bob')];
    await untilAnswer(useTracker(lost), undefined);
    const tokenId = decodeJwt(lost)['uti'];
    await revoke({ kind: 'token', issuerId: 'contoso', tokenId });
    await untilAnswer(useTracker(lost), 'token_revoked');
    expect(reasonOf(await useTracker(kept)())).toBeUndefined();
  }, 60_000);
});

describe('what an exchange reveals', () => {
  it('counts for every token of that person, in every process', async () => {
    const reports = await product.token('bob', '--server', 'reports');
    const idle = await openIdle(reports);
    const session = await legacy.openSession(reports);
    const ask = legacy.ask(reports, { id: 2, method: 'ping' }, session);
    expect(reasonOf(await ask())).toBeUndefined();
    const fresh = await product.token('bob');
    await controlProvider('sessions/revoke', { user: 'bob' });
    const startedAt = performance.now();
    expect(reasonOf(await useTracker(fresh)())).toBe('session_revoked');
    await untilAnswer(ask, 'token_revoked');
    process.stdout.write(
      `errors of token exchanges: ${((performance.now() - startedAt) / 1000).toFixed(3)} s to the first refused call\n`,
    );
    await idle.ended;
    const marks = await product.registry('GET', `${DEFAULT}/revocations?limit=1`);
    expect(marks.body).toMatchObject({
      items: [{ source: 'token-exchange', target: { kind: 'directory-user', oid: BOB } }],
    });
  }, 60_000);
});

describe('while the registry is away', () => {
  it('what was revoked stays so, also after a restart; and past the tenant’s bound nobody is let in', async () => {
    const alice = await product.token('alice');
    await untilAnswer(useTracker(alice), undefined);
    const bound = await product.registry(
      'PATCH',
      DEFAULT,
      { maxRevocationStaleSeconds: 10 },
      { 'if-match': '*' },
    );
    expect(bound.status, JSON.stringify(bound.body)).toBe(200);
    const { notBefore } = await revoke({ kind: 'directory-user', tid: CONTOSO_TID, oid: ALICE });
    await untilAnswer(useTracker(alice), 'token_revoked');
    const copy = join(product.process.localDirectory, 'state', 'ext-authz.snapshot.json');
    const second = Date.parse(notBefore) / 1000;
    await expect.poll(() => readFileSync(copy, 'utf8')).toContain(`"notBefore":${second}`);
    const anew = await signInAfter(notBefore, 'alice');
    expect(reasonOf(await useTracker(anew)())).toBeUndefined();

    await product.pauseRestart('registry');
    try {
      await product.kill('ext-authz');
      await expect.poll(() => product.isReady('ext-authz'), { timeout: 30_000 }).toBe(true);
      await untilAnswer(useTracker(alice), 'token_revoked');
      const stale = async () => {
        const answer = await useTracker(anew)();
        return reasonOf(answer) === 'revocations_stale' && answer.status === 503;
      };
      await until('the bound has passed', stale, 40_000);
      expect(reasonOf(await useTracker(alice)()), 'a mark is told first').toBe('token_revoked');
    } finally {
      await product.resumeRestart('registry');
    }
    await until(
      'the registry is heard again',
      async () => reasonOf(await useTracker(anew)()) === undefined,
      60_000,
    );
    expect(reasonOf(await useTracker(alice)())).toBe('token_revoked');
  }, 180_000);
});
