// Issuers added, changed and switched off while calls run, on the whole product: in force within a second, nothing
// restarted, no call of anybody else noticing, and none in flight cut.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elapsed } from '#test/support/elapsed.ts';
import { type OidcProvider, startOidcProvider } from '#test/support/oidc-provider.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { bringTenant, outcomeOfCall, type ProductTenant } from '#test/support/product-tenant.ts';
import { startVersionServer, type VersionServer } from '#test/support/version-server.ts';

const RESOURCE = 'https://gateway.example/clock';
const REDIRECT = 'http://127.0.0.1/callback';

let product: Product;
let tenant: ProductTenant;
let first: OidcProvider;
let second: OidcProvider;
let upstream: VersionServer;
let slow: VersionServer;
let url: string;
let newcomer: string;
const steady = { calls: 0, failures: [] as string[], stopped: false, lanes: [] as Promise<void>[] };

const startProvider = () =>
  startOidcProvider({
    resources: { [RESOURCE]: { scope: 'clock.use slow.use' } },
    clients: [
      {
        client_id: 'desktop',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: [REDIRECT],
        grant_types: ['authorization_code'],
      },
    ],
    accounts: {
      ann: { groups: ['staff'] },
      nell: { groups: ['visitors'], realm_access: { roles: ['staff'] } },
    },
  });

const tokenOf = (provider: OidcProvider, account: string): Promise<string> =>
  provider.userToken({
    clientId: 'desktop',
    redirectUri: REDIRECT,
    resource: RESOURCE,
    scope: 'clock.use slow.use',
    account,
  });

const issuerOf = (provider: OidcProvider) => ({
  preset: 'oidc',
  parameters: { issuer: provider.issuer },
  relation: 'home',
});

/** Two servers of one audience tell their tokens apart by a scope each. */
const bindingOf = (issuerId: string, serverId: string) => ({
  issuerId,
  audiences: [RESOURCE],
  requiredScopes: [`${serverId}.use`],
});

/** Ann calls all the time, in two lanes, until the test is over. */
const keepCalling = (token: string): void => {
  const lane = async (): Promise<void> => {
    while (!steady.stopped) {
      const outcome = await outcomeOfCall(url, token, 'which').catch(String);
      steady.calls += 1;
      if (outcome !== 'ok') steady.failures.push(outcome);
    }
  };
  steady.lanes.push(lane(), lane());
};

beforeAll(async () => {
  [first, second] = await Promise.all([startProvider(), startProvider()]);
  upstream = await startVersionServer('1.0.0', ['which']);
  slow = await startVersionServer('1.0.0', ['which']);
  slow.mood.delayMs = 3_000;
  product = await startProduct();
  tenant = await bringTenant(product, 'issuers');
  await tenant.create('/issuers/first', issuerOf(first));
  for (const [id, server] of Object.entries({ clock: upstream, slow })) {
    await tenant.register(id, { upstream: server, tools: ['which'], bindings: [bindingOf('first', id)] });
    await tenant.grant(id, { serverId: id, subjects: [{ kind: 'group', id: 'staff' }] });
  }
  url = tenant.url('clock');
  const ann = await tokenOf(first, 'ann');
  newcomer = await tokenOf(second, 'nell');
  expect(await elapsed(async () => (await outcomeOfCall(url, ann, 'which')) === 'ok')).toBeLessThan(10_000);
  keepCalling(ann);
}, 300_000);
afterAll(async () => {
  steady.stopped = true;
  await Promise.all(steady.lanes);
  await product?.stop();
  await Promise.all([first, second, upstream, slow].map((part) => part?.stop()));
});

const callNewcomer = (): Promise<string> => outcomeOfCall(url, newcomer, 'which');

/** How long after the registry's word the newcomer meets this outcome, milliseconds. */
const untilNewcomerMeets = (outcome: string): Promise<number> =>
  elapsed(async () => (await callNewcomer()) === outcome);

describe('an issuer', () => {
  it('is trusted within a second of being added, with keys found by discovery', async () => {
    expect(await callNewcomer()).toBe('issuer_unknown');
    await tenant.create('/issuers/second', issuerOf(second));
    // Known, and bound to nothing: still nobody's issuer here.
    expect(await callNewcomer()).toBe('issuer_unknown');
    for (const id of ['clock', 'slow'])
      await tenant.patch(`/servers/${id}`, { bindings: [bindingOf('first', id), bindingOf('second', id)] });
    expect(await untilNewcomerMeets('caller_not_granted')).toBeLessThan(1_000);
    expect(second.requests).toContain('/.well-known/openid-configuration');
  });

  it('is read by its new claim mapping within a second, also in tokens that were verified before', async () => {
    await tenant.patch('/issuers/second', { claims: { groups: '/realm_access/roles' } });
    expect(await untilNewcomerMeets('ok')).toBeLessThan(1_000);
    await tenant.patch('/issuers/second', { claims: { groups: 'groups' } });
    expect(await untilNewcomerMeets('caller_not_granted')).toBeLessThan(1_000);
    await tenant.patch('/issuers/second', { claims: { groups: '/realm_access/roles' } });
    expect(await untilNewcomerMeets('ok')).toBeLessThan(1_000);
  });

  it('is refused within a second of being switched off, while a call of its user is answered to the end', async () => {
    const inFlight = outcomeOfCall(tenant.url('slow'), newcomer, 'which');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await tenant.patch('/issuers/second', { enabled: false });
    expect(await untilNewcomerMeets('issuer_unknown')).toBeLessThan(1_000);
    expect(await inFlight).toBe('ok');
    expect(await outcomeOfCall(tenant.url('slow'), newcomer, 'which')).toBe('issuer_unknown');
  });

  it('comes back as it was', async () => {
    await tenant.patch('/issuers/second', { enabled: true });
    expect(await untilNewcomerMeets('ok')).toBeLessThan(1_000);
  });

  it('that is down stops nobody whose keys are known, and no other issuer', async () => {
    await second.stop();
    expect(await callNewcomer()).toBe('ok');
    // The next snapshot asks it again, in vain.
    await tenant.patch('/issuers/second?wait=applied&waitSeconds=30', { clockToleranceSeconds: 60 });
    expect(await callNewcomer()).toBe('ok');
  });

  it('was added, changed and switched off without one failure of the calls that ran all the while', () => {
    expect(steady.failures).toEqual([]);
    expect(steady.calls).toBeGreaterThan(20);
  });
});
