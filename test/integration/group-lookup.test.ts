// Callers whose tokens leave their groups out: real tokens, the real MSAL and egress guard, and a Graph that checks what
// it is shown. Whatever goes wrong on the way, nobody gets in without groups.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, importJWK, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TrustedIssuer } from '#core/issuer.ts';
import { Secret } from '#core/secret.ts';
import type { Tenant } from '#core/tenant.ts';
import { APPLICATION_IDS, CONTOSO_TID, GROUPS } from '#demo/directory.ts';
import { createAskGraph } from '#ext-authz/graph/ask-graph.ts';
import { type Authenticator, createAuthenticator } from '#ext-authz/identity/authenticate.ts';
import { createReplayMemory } from '#ext-authz/identity/dpop-replay.ts';
import { createGraphGroups } from '#ext-authz/identity/graph-groups.ts';
import { createGroupLookups } from '#ext-authz/identity/group-lookup.ts';
import { createKeySetStore } from '#ext-authz/identity/key-set-store.ts';
import { createKeySets, type KeySets } from '#ext-authz/identity/key-sets.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { ASKS_NOBODY } from '#test/support/identity-bench.ts';
import { startTokenWorld, type TokenWorld, tenantOf, trackerServer } from '#test/support/token-world.ts';

let world: TokenWorld;
let olga: Secret;
let directory: string;
let authenticator: Authenticator;
let keySets: KeySets;
let metrics: Metrics;

beforeAll(async () => {
  world = await startTokenWorld();
  directory = await mkdtemp(join(tmpdir(), 'mcpgw-'));
  olga = (await world.user('olga')).assertion;
});
afterAll(async () => {
  await world.stop();
  await rm(directory, { recursive: true });
});

beforeEach(() => {
  const { fetch } = createEgressGuard({ allowPrivate: true, allowedHosts: [] });
  metrics = createMetrics('test');
  keySets = createKeySets({
    fetch,
    store: createKeySetStore(directory),
    logger: createLogger('test', 'silent'),
    metrics,
    nowMs: Date.now,
    random: Math.random,
  });
  const { broker } = world.startBroker();
  const groups = createGroupLookups({ graph: createGraphGroups(createAskGraph(fetch)), broker, metrics });
  authenticator = createAuthenticator({
    keySets,
    introspector: ASKS_NOBODY,
    replays: createReplayMemory(),
    groups,
    metrics,
  });
  const { control } = world.provider;
  control.graph.questions = 0;
  control.graph.fault = undefined;
  control.faults.clear();
  control.resetCounters();
});
afterEach(() => keySets.stop());

const withLookup = (changes: Partial<TrustedIssuer['groupLookup']> = {}): Tenant => {
  const tenant = tenantOf(world.provider);
  const lookup = {
    clientId: APPLICATION_IDS.gatewayDirectory,
    secretName: 'gateway-directory',
    graphUrl: world.provider.origin,
    ...changes,
  };
  return { ...tenant, issuers: tenant.issuers.map((issuer) => ({ ...issuer, groupLookup: lookup })) };
};

const now = (): number => Math.floor(Date.now() / 1000);

const authenticate = (tenant: Tenant, token: Secret = olga, nowSeconds: number = now()) =>
  authenticator.authenticate({
    headers: new Map([['authorization', [`Bearer ${token.reveal()}`]]]),
    tenant,
    server: trackerServer(),
    target: { method: 'POST', url: 'https://gateway.example/mcp/tracker' },
    nowSeconds,
    signal: AbortSignal.timeout(20_000),
  });

const outcomeOf = async (tenant: Tenant, token?: Secret, nowSeconds?: number): Promise<string> => {
  const caller = await authenticate(tenant, token, nowSeconds);
  return caller.ok ? `${caller.value.identity.groups.length} groups` : caller.error.reason;
};

/** A token that the provider's own key signs, with other claims. */
const signed = async (changes: Record<string, unknown>): Promise<Secret> => {
  const key = world.provider.control.keys.current(CONTOSO_TID);
  const claims = { ...decodeJwt(olga.reveal()), ...changes };
  const kept = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  return new Secret(
    await new SignJWT(kept)
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: key.kid ?? '' })
      .sign(await importJWK(key, 'RS256')),
  );
};

const graph = () => world.provider.control.graph;

describe('a caller whose token leaves the groups out', () => {
  it('has the groups the directory knows', async () => {
    const caller = await authenticate(withLookup());
    if (!caller.ok) throw new Error(caller.error.reason);
    expect(decodeJwt(olga.reveal())).not.toHaveProperty('groups');
    expect(caller.value.identity.groups).toHaveLength(251);
    expect(caller.value.identity.groups).toContain(GROUPS.support.id);
  });

  it('is refused where no lookup is set', async () => {
    expect(await outcomeOf(tenantOf(world.provider))).toBe('groups_overage');
    expect(graph().questions).toBe(0);
  });

  it('costs one question for many calls at once, and none for five minutes', async () => {
    const tenant = withLookup();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcomeOf(tenant)));
    expect(new Set(outcomes)).toEqual(new Set(['251 groups']));
    expect(await outcomeOf(tenant, olga, now() + 290)).toBe('251 groups');
    expect(graph().questions).toBe(1);
    expect(world.provider.control.counters().client_credentials.issued).toBe(1);
    expect(await outcomeOf(tenant, olga, now() + 310)).toBe('251 groups');
    expect(graph().questions).toBe(2);
    expect((await metrics.render()).body).toMatch(/group_lookups_total\{outcome="hit".*\} 1\n/);
  });

  it('is found by object id and directory, not by the token: a new token costs no question', async () => {
    const tenant = withLookup();
    await outcomeOf(tenant);
    expect(await outcomeOf(tenant, await signed({ uti: 'another' }))).toBe('251 groups');
    expect(graph().questions).toBe(1);
  });

  it('never sends anybody to the address that the token gives', async () => {
    let visits = 0;
    const trap: Server = createServer((_request, response) => {
      visits += 1;
      response.end('{"value":[]}');
    });
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/groups`;
    const token = await signed({ _claim_sources: { src1: { endpoint } } });
    expect(await outcomeOf(withLookup(), token)).toBe('251 groups');
    expect(visits).toBe(0);
    await new Promise((resolve) => trap.close(resolve));
  });

  it('does not profit from what was found for another tenant', async () => {
    const tenant = withLookup();
    await outcomeOf(tenant);
    // It names the same application, whose secret is not its own.
    expect(await outcomeOf({ ...tenant, id: 'acme' })).toBe('groups_lookup_refused');
    expect(graph().questions).toBe(1);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['an application', { idtyp: 'app' }, 'groups_overage'],
    ['a token that also names groups', { groups: [GROUPS.engineering.id] }, 'groups_overage'],
    [
      'a token whose roles are elsewhere too',
      { _claim_names: { groups: 's', roles: 's' } },
      'groups_overage',
    ],
    ['a pointer of unknown shape', { _claim_names: ['groups'] }, 'groups_overage'],
    [
      'somebody the directory does not know',
      { oid: '99999999-9999-4999-8999-999999999999' },
      'session_revoked',
    ],
    ['the old sign of an implicit sign-in', { _claim_names: undefined, hasgroups: true }, '251 groups'],
  ])('is judged right: %s', async (_title, changes, expected) => {
    expect(await outcomeOf(withLookup(), await signed(changes))).toBe(expected);
  });
});

describe('a lookup that fails', () => {
  it.each<[string, { status: number; body: object; retryAfterSeconds?: number }, string]>([
    ['is throttled', { status: 429, body: {}, retryAfterSeconds: 60 }, 'groups_unavailable'],
    ['meets an outage', { status: 503, body: {} }, 'groups_unavailable'],
    [
      'may not',
      { status: 403, body: { error: { code: 'Authorization_RequestDenied' } } },
      'groups_lookup_refused',
    ],
    ['is at the wrong address', { status: 404, body: {} }, 'groups_lookup_refused'],
    [
      'finds more than Graph counts',
      { status: 400, body: { error: { code: 'Directory_ResultSizeLimitExceeded' } } },
      'groups_overage',
    ],
    [
      'finds a list that goes on elsewhere',
      { status: 200, body: { value: [], '@odata.nextLink': 'x' } },
      'groups_overage',
    ],
    [
      'finds more than are judged',
      { status: 200, body: { value: Array.from({ length: 2_001 }, () => GROUPS.support.id) } },
      'groups_overage',
    ],
    ['finds no list', { status: 200, body: { value: 'all' } }, 'groups_unavailable'],
    ['finds nothing', { status: 200, body: {} }, 'groups_unavailable'],
    ['finds what is no id', { status: 200, body: { value: [GROUPS.support.id, '*'] } }, 'groups_unavailable'],
  ])('refuses the caller, and does not ask again at once, when it %s', async (_title, fault, reason) => {
    graph().fault = fault;
    expect(await outcomeOf(withLookup())).toBe(reason);
    expect(await outcomeOf(withLookup())).toBe(reason);
    expect(graph().questions).toBe(1);
  });

  it('waits as long as Graph asks, tells the client, and goes on by itself', async () => {
    graph().fault = { status: 429, body: {}, retryAfterSeconds: 60 };
    expect(await authenticate(withLookup())).toMatchObject({
      error: { publicFacts: { retryAfterSeconds: 60 } },
    });
    graph().fault = undefined;
    expect(await outcomeOf(withLookup(), olga, now() + 50)).toBe('groups_unavailable');
    expect(await outcomeOf(withLookup(), olga, now() + 61)).toBe('251 groups');
  });

  it('refuses where its own token is not to be had, telling what passes from what must be mended', async () => {
    expect(await outcomeOf(withLookup({ secretName: 'not-there' }))).toBe('groups_lookup_refused');
    await writeFile(join(world.secretsDirectory, 'wrong'), 'x', { mode: 0o600 });
    expect(await outcomeOf(withLookup({ secretName: 'wrong' }))).toBe('groups_lookup_refused');
    // An application of the gateway that nobody has given leave to read the directory.
    const { gatewayTracker: clientId } = APPLICATION_IDS;
    expect(await outcomeOf(withLookup({ clientId, secretName: 'gateway-tracker' }))).toBe(
      'groups_lookup_refused',
    );
    world.provider.control.faults.add({ kind: 'server_error' });
    expect(await outcomeOf(withLookup({ graphUrl: 'http://127.0.0.1:1' }))).toBe('groups_unavailable');
    expect(graph().questions).toBe(0);
  });
});

describe('the question to Graph', () => {
  const ask = (graphUrl: string, allowPrivate = true) =>
    createGraphGroups(createAskGraph(createEgressGuard({ allowPrivate, allowedHosts: [] }).fetch))({
      graphUrl,
      oid: '10000000-eeee-4eee-8eee-00000000000e',
      token: new Secret('a-token'),
      nowSeconds: now(),
    });

  it('has no answer where nobody listens', async () => {
    const [closed] = await findFreePorts(1);
    expect(await ask(`http://127.0.0.1:${closed}`)).toMatchObject({ error: { kind: 'unavailable' } });
  });

  it('goes through the guard: not to our own network, and no redirect is followed', async () => {
    expect(await ask(world.provider.origin, false)).toMatchObject({ error: { kind: 'refused' } });
    graph().fault = { status: 307, body: {} };
    expect(await ask(world.provider.origin)).toMatchObject({ error: { kind: 'refused' } });
  });

  it('is not answered to a token that is not for Graph', async () => {
    expect(await ask(world.provider.origin)).toMatchObject({
      error: { kind: 'refused', detail: 'status 401, InvalidAuthenticationToken' },
    });
  });
});
