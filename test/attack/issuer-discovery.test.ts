// A discovery document decides whose keys are believed. Everything here is a provider, or somebody in its place, that
// lies about itself: against the real fetch through the egress guard and a provider of an independent author.

import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TrustedIssuer } from '#core/issuer.ts';
import { type Authenticator, createAuthenticator } from '#ext-authz/identity/authenticate.ts';
import { createReplayMemory } from '#ext-authz/identity/dpop-replay.ts';
import { createKeySets, type KeySets } from '#ext-authz/identity/key-sets.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { ASKS_NOBODY, NO_LOOKUPS } from '#test/support/identity-bench.ts';
import { type OidcProvider, startOidcProvider } from '#test/support/oidc-provider.ts';
import {
  createTestKey,
  oidcIssuer,
  publishKey,
  signWith,
  testServer,
  testTenant,
} from '#test/support/token-issuer.ts';

const RESOURCE = 'https://gateway.example/mcp/tracker';
const METADATA = 'http://169.254.169.254/latest/meta-data/iam';

let provider: OidcProvider;
let token: string;
let sets: KeySets;
let logged: string[];
const attacker = createTestKey('attacker');

beforeAll(async () => {
  provider = await startOidcProvider({
    resources: { [RESOURCE]: { scope: 'tools.use' } },
    clients: [{ client_id: 'agent', client_secret: 'agent-secret' }],
  });
  token = await provider.clientToken({
    clientId: 'agent',
    clientSecret: 'agent-secret',
    resource: RESOURCE,
    scope: 'tools.use',
  });
});
afterAll(() => provider.stop());

beforeEach(() => {
  provider.intercept = undefined;
  provider.requests.length = 0;
  logged = [];
  sets?.stop();
  sets = createKeySets({
    fetch: createEgressGuard({ allowPrivate: true, allowedHosts: [] }).fetch,
    store: { load: async () => undefined, save: async () => undefined },
    logger: createLogger('test', 'info', { write: (line) => void logged.push(line) }),
    metrics: createMetrics('test'),
    nowMs: Date.now,
    random: () => 0.5,
  });
});
afterAll(() => sets.stop());

const issuer = (changes: Partial<TrustedIssuer> = {}): TrustedIssuer => {
  const { jwksUri: _, ...discovered } = oidcIssuer('unused', { issuer: provider.issuer });
  return {
    ...discovered,
    discoveryUri: `${provider.issuer}/.well-known/openid-configuration`,
    tokenType: 'at+jwt',
    ...changes,
  };
};

/** Of one process: it has room for the tokens of a hundred thousand people, so a test makes no thousand of them. */
const startAuthenticator = (): Authenticator =>
  createAuthenticator({
    keySets: sets,
    introspector: ASKS_NOBODY,
    replays: createReplayMemory(),
    groups: NO_LOOKUPS,
    metrics: createMetrics('test'),
  });

const outcomeOf = async (
  credential: string,
  trusted: TrustedIssuer,
  authenticator = startAuthenticator(),
): Promise<string> => {
  const bindings = [{ issuerId: trusted.id, audiences: [RESOURCE], requiredScopes: [] }];
  const result = await authenticator.authenticate({
    headers: new Map([['authorization', [`Bearer ${credential}`]]]),
    tenant: testTenant([trusted]),
    server: { ...testServer([trusted]), bindings },
    target: { method: 'POST', url: RESOURCE },
    nowSeconds: Math.floor(Date.now() / 1000),
    signal: AbortSignal.timeout(30_000),
  });
  return result.ok ? result.value.identity.kind : result.error.reason;
};

/** Answers `path` in the place of the provider. */
const forge = (path: string, answer: (response: ServerResponse) => void): void => {
  provider.intercept = ({ url }, response) => {
    if (url !== path) return undefined;
    answer(response);
    return true;
  };
};

const json = (body: object) => (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));

const redirect = (location: string) => (response: ServerResponse) =>
  void response.writeHead(302, { location }).end();

const DISCOVERY = '/.well-known/openid-configuration';

describe('discovery', () => {
  it('leads to the keys of a provider that tells the truth', async () => {
    expect(await outcomeOf(token, issuer())).toBe('app');
    expect(provider.requests).toEqual([DISCOVERY, '/jwks']);
  });

  it('is not asked where the address of the keys is written', async () => {
    const { discoveryUri: _, ...written } = issuer({ jwksUri: provider.jwksUri });
    expect(await outcomeOf(token, written)).toBe('app');
    expect(provider.requests).toEqual(['/jwks']);
  });

  it.each([
    ['another issuer', () => ({ issuer: 'https://evil.example', jwks_uri: provider.jwksUri })],
    ['its issuer in another writing', () => ({ issuer: `${provider.issuer}/`, jwks_uri: provider.jwksUri })],
    ['no issuer', () => ({ jwks_uri: provider.jwksUri })],
    ['keys at a metadata address', () => ({ issuer: provider.issuer, jwks_uri: METADATA })],
    ['keys in a file', () => ({ issuer: provider.issuer, jwks_uri: 'file:///etc/passwd' })],
    ['no keys', () => ({ issuer: provider.issuer })],
  ])('refuses a document that names %s, and asks nothing further', async (_title, document) => {
    forge(DISCOVERY, json(document()));
    expect(await outcomeOf(token, issuer())).toBe('keys_unavailable');
    expect(provider.requests).toEqual([DISCOVERY]);
  });

  it.each([
    ['the document', DISCOVERY],
    ['the key set', '/jwks'],
  ])('follows no redirect of %s, to a metadata address or anywhere', async (_title, path) => {
    for (const location of [METADATA, `${provider.issuer}/elsewhere`]) {
      forge(path, redirect(location));
      expect(await outcomeOf(token, issuer())).toBe('keys_unavailable');
    }
    expect(provider.requests).not.toContain('/elsewhere');
    expect(logged.join('')).toContain('redirect');
  });

  it('takes no set of ten thousand keys, though the right one is among them', async () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => ({
      kty: 'OKP',
      kid: `k${index}`,
      crv: 'Ed25519',
      x: 'A',
    }));
    forge('/jwks', json({ keys: [publishKey(attacker), ...keys] }));
    expect(await outcomeOf(token, issuer())).toBe('keys_unavailable');
    expect(logged.join('')).toMatch(/more than 200 keys|longer than/);
  });

  it('finds one issuer no keys for the tokens of another', async () => {
    // The document is honest, about itself; the tenant wrote another issuer beside it.
    const trusted = issuer({ issuer: 'https://somebody.example' });
    const forged = await signWith(
      attacker,
      { iss: 'https://somebody.example', aud: RESOURCE, sub: 'x', iat: 1, exp: 2 ** 31 },
      { typ: 'at+jwt' },
    );
    expect(await outcomeOf(forged, trusted)).toBe('keys_unavailable');
    expect(logged.join('')).toContain('another issuer');
  });

  it('keeps the keys it has found when the document turns', async () => {
    const trusted = issuer();
    expect(await outcomeOf(token, trusted)).toBe('app');
    forge(DISCOVERY, json({ issuer: 'https://evil.example', jwks_uri: `${provider.issuer}/evil` }));
    await sets.refreshDue();
    expect(await outcomeOf(token, trusted)).toBe('app');
    expect(provider.requests).not.toContain('/evil');
  });

  it('costs the provider two requests for a thousand tokens at once, whatever key they name', async () => {
    const forged = await signWith(attacker, { iss: provider.issuer, aud: RESOURCE }, { kid: 'unknown' });
    const [trusted, authenticator] = [issuer(), startAuthenticator()];
    const asked = Array.from({ length: 1_000 }, () => outcomeOf(forged, trusted, authenticator));
    const outcomes = await Promise.all(asked);
    expect(new Set(outcomes)).toEqual(new Set(['key_unknown']));
    expect(provider.requests).toEqual([DISCOVERY, '/jwks']);
  });
});
