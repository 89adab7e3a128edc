// Two tenants in which everything has the same name: servers, tools, issuers by id, groups, people, audiences. The identity
// provider of the one is a partner's in the other. Nothing of the one may be had by way of the other.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COUNT_TOOL, type CountingServer, startCountingServer } from '#test/support/counting-server.ts';
import { elapsed } from '#test/support/elapsed.ts';
import { connectLegacy } from '#test/support/mcp-clients.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import {
  bringTenant,
  listedTools,
  outcomeOfCall,
  type ProductTenant,
  reasonIn,
} from '#test/support/product-tenant.ts';
import { send } from '#test/support/raw-call.ts';
import {
  createTestKey,
  type KeyServer,
  publishKey,
  signWith,
  startKeyServer,
} from '#test/support/token-issuer.ts';
import { startVersionServer, type VersionServer } from '#test/support/version-server.ts';

const FIRST = { issuer: 'https://idp.example/first', key: createTestKey('first') };
const SECOND = { issuer: 'https://idp.example/second', key: createTestKey('second') };
type Provider = typeof FIRST;

let product: Product;
let acme: ProductTenant;
let beta: ProductTenant;
let keys: Map<Provider, KeyServer>;
let clocks: VersionServer[];
let counters: CountingServer[];
/** Ann of acme's directory, and Ann of beta's: different people of one name, in groups of one name. */
let acmesAnn: string;
let betasAnn: string;

const tokenOf = ({ issuer, key }: Provider, changes: object = {}): Promise<string> => {
  const now = Math.floor(Date.now() / 1_000);
  const who = { sub: 'ann', azp: 'client', groups: ['staff'], scope: 'clock.use counter.use' };
  return signWith(key, { iss: issuer, aud: 'shared', iat: now - 10, exp: now + 3_000, ...who, ...changes });
};

const trust = (tenant: ProductTenant, id: string, provider: Provider, relation: 'home' | 'partner') =>
  tenant.create(`/issuers/${id}`, {
    kind: 'oidc',
    issuer: provider.issuer,
    jwksUri: keys.get(provider)?.url,
    relation,
    claims: { scopes: 'scope' },
  });

type Upstreams = { readonly clock: VersionServer; readonly counter: CountingServer };

const furnish = async (
  tenant: ProductTenant,
  issuers: readonly string[],
  own: string,
  upstreams: Upstreams,
) => {
  const bindingsFor = (serverId: string) =>
    issuers.map((issuerId) => ({ issuerId, audiences: ['shared'], requiredScopes: [`${serverId}.use`] }));
  const { clock, counter } = upstreams;
  await tenant.register('clock', { upstream: clock, tools: ['which', own], bindings: bindingsFor('clock') });
  await tenant.register('counter', {
    upstream: { url: counter.url, version: '1.0.0' },
    tools: [COUNT_TOOL.name],
    bindings: bindingsFor('counter'),
  });
  await tenant.grant('staff', { serverId: 'clock', subjects: [{ kind: 'group', id: 'staff' }] });
  await tenant.grant('ann', { serverId: 'counter', subjects: [{ kind: 'user', id: 'ann' }] });
};

beforeAll(async () => {
  keys = new Map();
  for (const provider of [FIRST, SECOND])
    keys.set(provider, await startKeyServer([publishKey(provider.key)]));
  clocks = await Promise.all([
    startVersionServer('1.0.0', ['which', 'acme_only']),
    startVersionServer('1.0.0', ['which', 'beta_only']),
  ]);
  counters = await Promise.all(['one', 'two'].map(startCountingServer));
  const [acmesClock, betasClock] = clocks;
  const [acmesCounter, betasCounter] = counters;
  if (!acmesClock || !betasClock || !acmesCounter || !betasCounter) throw new Error('no upstreams');
  product = await startProduct();
  acme = await bringTenant(product, 'acme');
  beta = await bringTenant(product, 'beta');
  await trust(acme, 'idp', FIRST, 'home');
  await trust(beta, 'idp', SECOND, 'home');
  await trust(beta, 'friends', FIRST, 'partner');
  await furnish(acme, ['idp'], 'acme_only', { clock: acmesClock, counter: acmesCounter });
  await furnish(beta, ['idp', 'friends'], 'beta_only', { clock: betasClock, counter: betasCounter });
  [acmesAnn, betasAnn] = await Promise.all([tokenOf(FIRST), tokenOf(SECOND)]);
  const works = async () => (await outcomeOfCall(beta.url('clock'), betasAnn, 'which')) === 'ok';
  expect(await elapsed(works)).toBeLessThan(10_000);
}, 300_000);
afterAll(async () => {
  await product?.stop();
  await Promise.all(
    [...(keys?.values() ?? []), ...(clocks ?? []), ...(counters ?? [])].map((part) => part.stop()),
  );
});

const call = (tenant: ProductTenant, token: string, tool = 'which', server = 'clock') =>
  outcomeOfCall(tenant.url(server), token, tool);

describe('equal names', () => {
  it('are different people: what was granted to one Ann, or to her group, is not the other’s', async () => {
    // Ten times, so that whatever one tenant's call left in a cache would be found by the other's.
    for (let round = 0; round < 10; round += 1) {
      expect(await call(acme, acmesAnn)).toBe('ok');
      expect(await call(beta, acmesAnn)).toBe('caller_not_granted');
      expect(await call(beta, betasAnn)).toBe('ok');
      expect(await call(acme, betasAnn)).toBe('issuer_unknown');
    }
    expect(await call(beta, acmesAnn, 'count', 'counter')).toBe('caller_not_granted');
  });

  it('are different tools: a list shows the tenant’s own, and nobody reaches the other’s', async () => {
    expect(await listedTools(acme.url('clock'), acmesAnn)).toEqual(['acme_only', 'which']);
    expect(await listedTools(beta.url('clock'), betasAnn)).toEqual(['beta_only', 'which']);
    expect(await listedTools(beta.url('clock'), acmesAnn)).toBe('caller_not_granted');
    expect(await call(beta, betasAnn, 'acme_only')).toBe('tool_not_granted');
  });

  it.each([
    ['of another audience', { aud: 'somebody-else' }, 'audience_mismatch'],
    ['with the scope of another server only', { scope: 'counter.use' }, 'scope_insufficient'],
    ['under the other issuer’s name', { iss: SECOND.issuer }, 'key_unknown'],
  ])('do not make a token %s good', async (_title, changes, reason) => {
    const token = await tokenOf(FIRST, changes);
    expect(await call(beta, token)).toBe(reason);
  });
});

describe('a partner', () => {
  it('gets what is granted to partners by name, and nothing that is granted at home', async () => {
    await beta.create('/grants/friends', {
      serverId: 'clock',
      subjects: [{ kind: 'group', id: 'staff', issuerId: 'friends' }],
      tools: ['which'],
      prompts: [],
      resources: [],
    });
    expect(await elapsed(async () => (await call(beta, acmesAnn)) === 'ok')).toBeLessThan(1_000);
    expect(await listedTools(beta.url('clock'), acmesAnn)).toEqual(['which']);
    expect(await call(beta, acmesAnn, 'beta_only')).toBe('tool_not_granted');
    expect(await call(beta, acmesAnn, 'count', 'counter')).toBe('caller_not_granted');
    expect(await listedTools(beta.url('clock'), betasAnn)).toEqual(['beta_only', 'which']);
  });

  it('is a guest of this tenant alone: on record as a partner here and as its own at home', async () => {
    expect(await call(beta, acmesAnn)).toBe('ok');
    expect(await call(acme, acmesAnn)).toBe('ok');
    const lines = (await product.decisions()).filter((line) =>
      String(line['principal']).includes(FIRST.issuer),
    );
    const relations = (tenant: string) =>
      new Set(lines.filter((line) => line['tenant'] === tenant).map(({ relation }) => relation));
    expect(relations('beta')).toEqual(new Set(['partner']));
    expect(relations('acme')).toEqual(new Set(['home']));
  });
});

describe('a session', () => {
  it('of one tenant is none in the other, for the same person at the same server', async () => {
    await beta.create('/grants/counting-friends', {
      serverId: 'counter',
      subjects: [{ kind: 'user', id: 'ann', issuerId: 'friends' }],
      tools: ['*'],
      prompts: [],
      resources: [],
    });
    const { client, transport } = await connectLegacy(acme.url('counter'), acmesAnn);
    const count = () => client.callTool({ name: 'count', arguments: {} });
    expect(JSON.stringify(await count())).toContain('\\"count\\":1');
    const reuse = async (tenant: ProductTenant, method: string) =>
      send(tenant.url('counter'), {
        method,
        headers: {
          authorization: `Bearer ${acmesAnn}`,
          'mcp-session-id': transport.sessionId ?? '',
          'mcp-protocol-version': '2025-11-25',
          'content-type': 'application/json',
          accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
        },
        ...(method === 'POST'
          ? {
              body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count","arguments":{}}}',
            }
          : {}),
      });
    for (const method of ['POST', 'DELETE', 'GET']) {
      const answer = await reuse(beta, method);
      expect([answer.status, reasonIn(answer)], method).toEqual([404, 'session_unknown']);
    }
    expect(JSON.stringify(await count())).toContain('\\"count\\":2');
    await client.close();
  });
});

describe('what one tenant switches', () => {
  it('stops its own Ann, and neither the other’s nor hers as a guest there', async () => {
    await acme.create('/kill-switches/ann', { target: { kind: 'principal', id: 'ann' } });
    expect(await elapsed(async () => (await call(acme, acmesAnn)) !== 'ok')).toBeLessThan(1_000);
    expect(await call(acme, acmesAnn)).toBe('caller_blocked');
    expect(await call(beta, acmesAnn)).toBe('ok');
    expect(await call(beta, betasAnn)).toBe('ok');
  });

  it('off with an issuer, stays on with the same issuer elsewhere, keys and all', async () => {
    await beta.patch('/issuers/friends', { enabled: false });
    expect(await elapsed(async () => (await call(beta, acmesAnn)) === 'issuer_unknown')).toBeLessThan(1_000);
    // The switch of the test before still stops her at acme: by that, and not for her issuer.
    expect(await call(acme, acmesAnn)).toBe('caller_blocked');
  });
});

describe('what is on record', () => {
  it('of a decision names one tenant and nothing of the other', async () => {
    const lines = (await product.decisions()).map((line) => JSON.stringify(line));
    const of = (tenant: string) => lines.filter((line) => line.includes(`"tenant":"${tenant}"`));
    expect(of('acme').length).toBeGreaterThan(10);
    expect(of('beta').length).toBeGreaterThan(10);
    for (const line of of('acme')) expect(line).not.toMatch(/beta/);
    // One call of beta's Ann asked for a tool that acme has; that she asked is hers.
    for (const line of of('beta').filter((each) => !each.includes('acme_only')))
      expect(line).not.toMatch(/acme/);
  });
});
