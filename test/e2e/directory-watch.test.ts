// Somebody is disabled in the directory: how the gateway comes to know, through the whole product, and that nobody else
// is disturbed. Graph is the demo's, which checks every token and answers handshakes as the real one does.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { APPLICATION_IDS } from '#demo/directory.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { callTool, type RawAnswer } from '#test/support/raw-call.ts';

let product: Product;
let provider: string;
let tracker: string;

const list = (token: string): Promise<RawAnswer> =>
  callTool(tracker, token, { name: 'list_issues', arguments: {} });

const outcomeOf = ({ status, message }: RawAnswer): string =>
  message.error === undefined ? String(status) : String(message.error.data['reason']);

const order = async (path: string, body: object): Promise<void> => {
  const answer = await fetch(`${provider}/control/${path}`, { method: 'POST', body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
};

const watchDirectory = async (changes: { pollSeconds: number; notifications: boolean }): Promise<void> => {
  const path = '/v1/tenants/default/issuers/contoso';
  const { etag } = await product.registry('GET', path);
  const graph = {
    clientId: APPLICATION_IDS.gatewayDirectory,
    secretName: 'gateway-directory',
    graphUrl: provider,
    ...changes,
  };
  const answer = await product.registry('PATCH', path, { signals: { graph } }, { 'if-match': etag });
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
};

const subscriptions = async (): Promise<number> => {
  const state = await fetch(`${provider}/control/state`);
  return ((await state.json()) as { graph: { subscriptions: number } }).graph.subscriptions;
};

/** Disables somebody and has calls made until one is refused; nobody else's call is. */
const disable = async (user: string, [hers, another]: readonly [string, string]): Promise<void> => {
  expect(outcomeOf(await list(hers))).toBe('200');
  await order('users', { user, enabled: false });
  await expect
    .poll(async () => outcomeOf(await list(hers)), { timeout: 30_000, interval: 100 })
    .toBe('token_revoked');
  expect(outcomeOf(await list(another))).toBe('200');
};

beforeAll(async () => {
  const [port = 0] = await findFreePorts(1);
  product = await startProduct({
    SIGNALS_PORT: String(port),
    SIGNALS_PUBLIC_URL: `http://127.0.0.1:${port}`,
  });
  provider = new URL(product.quickstart.issuer).origin;
  tracker = product.serverUrl('tracker');
}, 300_000);
afterAll(() => product?.stop());

describe('somebody who is disabled in the directory', () => {
  it('is refused with the token of before once the directory was asked, and nobody else is', async () => {
    const [alice, bob] = await Promise.all([product.token('alice'), product.token('bob')]);
    await watchDirectory({ pollSeconds: 5, notifications: false });
    await disable('bob', [bob, alice]);
    expect(await subscriptions()).toBe(0);
    await order('users', { user: 'bob', enabled: true });
    expect(outcomeOf(await list(await product.token('bob')))).toBe('200');
    expect(outcomeOf(await list(bob))).toBe('token_revoked');
  });

  it('is refused as soon as Graph tells of it, long before the directory would be asked again', async () => {
    const [alice, bob] = await Promise.all([product.token('alice'), product.token('bob')]);
    await watchDirectory({ pollSeconds: 3_600, notifications: true });
    await expect.poll(subscriptions).toBe(1);
    await disable('bob', [bob, alice]);
  });

  it('is on record, with where it was heard and whom it is about', async () => {
    const { body } = await product.registry('GET', '/v1/tenants/default/revocations');
    expect(JSON.stringify(body)).toContain('the account was disabled');
    expect(JSON.stringify(body)).toContain('"source":"graph"');
  });
});
