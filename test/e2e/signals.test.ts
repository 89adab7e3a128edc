// What identity providers tell by themselves or when they are asked, through the whole product: a Security Event Token, a
// notification of Graph and a look at the directory, each until the first refused call at the real Envoy.

import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS } from '#demo/directory.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { type Ask, reasonOf, untilAnswer } from '#test/support/legacy-calls.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool } from '#test/support/raw-call.ts';
import { CAEP, startTransmitter, type Transmitter } from '#test/support/ssf-transmitter.ts';
import { until } from '#test/support/xds-gateway.ts';

const ISSUER = '/v1/tenants/default/issuers/contoso';

let product: Product;
let transmitter: Transmitter;
let events = '';

const useTracker =
  (token: string): Ask =>
  () =>
    callTool(product.serverUrl('tracker'), token, { name: 'list_issues' });

const control = async (method: string, path: string, order?: object): Promise<Response> => {
  const { origin } = new URL(product.quickstart.issuer);
  const answer = await fetch(`${origin}/control/${path}`, {
    method,
    ...(order === undefined ? {} : { body: JSON.stringify(order) }),
  });
  expect(answer.ok).toBe(true);
  return answer;
};

/** Tokens and marks tell their age in whole seconds: what is of one second is neither before nor after the other. */
const secondIsOver = (): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, 2_000 - (Date.now() % 1_000)));

const push = (token: string): Promise<Response> =>
  fetch(events, { method: 'POST', headers: { 'content-type': 'application/secevent+jwt' }, body: token });

const report = (channel: string, startedAt: number): boolean =>
  process.stdout.write(
    `${channel}: ${((performance.now() - startedAt) / 1000).toFixed(3)} s to the first refused call\n`,
  );

const configure = async (graph: { pollSeconds: number; notifications: boolean }): Promise<void> => {
  const application = { clientId: APPLICATION_IDS.gatewayDirectory, secretName: 'gateway-directory' };
  const signals = {
    sharedSignals: { transmitter: transmitter.issuer, jwksUri: transmitter.keyServer.url },
    graph: { ...application, graphUrl: new URL(product.quickstart.issuer).origin, ...graph },
  };
  const headers = { 'if-match': '*', 'content-type': 'application/merge-patch+json' };
  const configured = await product.registry('PATCH', ISSUER, { signals }, headers);
  expect(configured.status, JSON.stringify(configured.body)).toBe(200);
};

beforeAll(async () => {
  const [port] = await findFreePorts(1);
  product = await startProduct({ SIGNALS_PORT: String(port) });
  events = `http://127.0.0.1:${port}/v1/signals/default/contoso/events`;
  transmitter = await startTransmitter('https://ssf.contoso.example', {
    audience: events,
    subject: {},
    nowMs: Date.now,
  });
  // Polling would find it, too; in an hour.
  await configure({ pollSeconds: 3_600, notifications: true });
}, 300_000);

afterAll(async () => {
  await transmitter?.stop();
  await product?.stop();
});

describe('a Security Event Token', () => {
  it('ends what its subject holds before a second is over, and a restart of the registry lets nobody repeat it', async () => {
    const alice = await product.token('alice');
    const { iss, sub } = decodeJwt(alice);
    const running = useTracker(alice);
    await untilAnswer(running, undefined);
    const sub_id = { format: 'iss_sub', iss, sub };
    const token = await transmitter.sign(`${CAEP}/session-revoked`, {}, { claims: { sub_id } });
    const startedAt = performance.now();
    expect((await push(token)).status).toBe(202);
    await untilAnswer(running, 'token_revoked');
    report('Shared Signals', startedAt);

    const marks = async () => (await product.registry('GET', '/v1/tenants/default/revocations')).body;
    const before = await marks();
    expect(before).toMatchObject({ items: [{ source: 'shared-signals', target: { subject: sub } }] });
    await product.kill('registry');
    await until('the registry is back', () => product.isReady('registry'), 60_000);
    expect((await push(token)).status).toBe(202);
    expect(await marks()).toEqual(before);
    expect(reasonOf(await running())).toBe('token_revoked');
  }, 120_000);
});

describe('a notification of Graph', () => {
  it('has the person looked at, whose tokens are refused', async () => {
    const bob = await product.token('bob');
    const running = useTracker(bob);
    await untilAnswer(running, undefined);
    const subscribed = async (): Promise<boolean> => {
      const { graph } = (await (await control('GET', 'state')).json()) as {
        graph: { subscriptions: number };
      };
      return graph.subscriptions === 1;
    };
    await until('Graph was told where to tell', subscribed, 30_000);
    await secondIsOver();
    const startedAt = performance.now();
    await control('POST', 'sessions/revoke', { user: 'bob' });
    await untilAnswer(running, 'token_revoked');
    report('notifications of Graph', startedAt);
    const { body } = await product.registry('GET', '/v1/tenants/default/revocations?limit=1');
    expect(body).toMatchObject({ items: [{ source: 'graph', target: { kind: 'directory-user' } }] });
  }, 90_000);
});

describe('a directory that is asked', () => {
  it('tells who was disabled: the token of before is refused, nobody else is, and a later one is taken', async () => {
    await secondIsOver();
    const [alice, bob] = await Promise.all([product.token('alice'), product.token('bob')]);
    await configure({ pollSeconds: 5, notifications: false });
    await untilAnswer(useTracker(bob), undefined);
    await secondIsOver();
    await control('POST', 'users', { user: 'bob', enabled: false });
    const startedAt = performance.now();
    await untilAnswer(useTracker(bob), 'token_revoked');
    report('a directory that is asked every 5 s', startedAt);
    const { body } = await product.registry('GET', '/v1/tenants/default/revocations?limit=1');
    expect(body).toMatchObject({ items: [{ source: 'graph', reason: 'the account was disabled' }] });
    expect(reasonOf(await useTracker(alice)())).toBeUndefined();
    await control('POST', 'users', { user: 'bob', enabled: true });
    await secondIsOver();
    expect(reasonOf(await useTracker(await product.token('bob'))())).toBeUndefined();
    expect(reasonOf(await useTracker(bob)())).toBe('token_revoked');
  }, 90_000);
});
