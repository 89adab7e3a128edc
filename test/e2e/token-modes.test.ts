// Tokens that servers are sent, through the whole product, at an identity provider that none of us wrote: a person's exchanged
// for the server's own resource (RFC 8693), and a secret in a header of the server's.

import { createPublicKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type OidcProvider, startOidcProvider } from '#test/support/oidc-provider.ts';
import { type Product, startProduct } from '#test/support/product.ts';
import { bringTenant, outcomeOfCall, type ProductTenant } from '#test/support/product-tenant.ts';
import { createTestAuthority } from '#test/support/test-authority.ts';
import { TOKEN_EXCHANGE } from '#test/support/token-exchange-grant.ts';
import { startVersionServer, type VersionServer } from '#test/support/version-server.ts';

const RESOURCE = 'https://tracker.example/api';
const REDIRECT = 'http://127.0.0.1/callback';
const CREDENTIAL = createTestAuthority().issue([], { key: 'rsa' });

let product: Product;
let provider: OidcProvider;
let upstream: VersionServer;
let acme: ProductTenant;
let url: string;

const writeSecret = (name: string, text: string): void => {
  const directory = join(product.process.localDirectory, 'secrets', 'acme');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  writeFileSync(join(directory, name), text, { mode: 0o600 });
};

const startProvider = (): Promise<OidcProvider> => {
  const key = createPublicKey(CREDENTIAL.key).export({ format: 'jwk' });
  return startOidcProvider({
    resources: { [url]: { scope: 'tools.use' }, [RESOURCE]: { scope: 'issues.read issues.write' } },
    clients: [
      {
        client_id: 'gateway',
        token_endpoint_auth_method: 'private_key_jwt',
        grant_types: ['client_credentials', TOKEN_EXCHANGE],
        response_types: [],
        redirect_uris: [],
        jwks: { keys: [{ ...key, alg: 'PS256', use: 'sig', kid: 'gateway-key' }] } as never,
      },
      {
        client_id: 'desktop',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: [REDIRECT],
        grant_types: ['authorization_code'],
      },
    ],
    accounts: { alice: {} },
    tokenExchange: { gateway: { accepts: url, targets: [RESOURCE] } },
  });
};

const server = (upstreamAuth: object) => ({
  displayName: 'tracker',
  allowedHosts: [new URL(upstream.url).host],
  upstreamAuth,
  bindings: [
    {
      issuerId: 'idp',
      audiences: [url],
      requiredScopes: [],
      oboApplication: {
        clientId: 'gateway',
        credential: { kind: 'certificate', name: 'gateway', keyId: 'gateway-key' },
      },
    },
  ],
});

beforeAll(async () => {
  [product, upstream] = await Promise.all([startProduct(), startVersionServer('1.0.0', ['ping'])]);
  url = `${product.quickstart.gateway}/t/acme/mcp/tracker`;
  provider = await startProvider();
  acme = await bringTenant(product, 'acme');
  const { issuer, tokenEndpoint } = provider;
  await acme.create('/issuers/idp', { kind: 'oidc', issuer, tokenEndpoint, relation: 'home' });
  const bindings = [{ issuerId: 'idp', audiences: [url], requiredScopes: [] }];
  await acme.register('tracker', { upstream, tools: ['ping'], bindings });
  await acme.grant('everybody', {
    serverId: 'tracker',
    subjects: [{ kind: 'user', id: 'alice', issuerId: 'idp' }],
  });
  writeSecret('gateway.key', CREDENTIAL.key);
  writeSecret('gateway.crt', CREDENTIAL.certificate);
}, 300_000);
afterAll(async () => {
  await Promise.all([product?.stop(), provider?.stop(), upstream?.stop()]);
});

const aliceToken = (): Promise<string> =>
  provider.userToken({
    clientId: 'desktop',
    redirectUri: REDIRECT,
    resource: url,
    scope: 'tools.use',
    account: 'alice',
  });

describe('a server', () => {
  it('is sent a token of the person who calls, for its own resource, that says who acts', async () => {
    await acme.replace(
      '/servers/tracker',
      server({
        mode: 'token-exchange',
        resource: RESOURCE,
        scopes: ['issues.read'],
        actor: 'application',
      }),
    );
    const token = await aliceToken();
    expect(await outcomeOfCall(url, token, 'ping')).toBe('ok');
    const sent = String(upstream.seenHeaders()['authorization']).replace(/^Bearer /, '');
    expect(sent).not.toBe(token);
    expect(decodeJwt(sent)).toMatchObject({
      iss: provider.issuer,
      sub: 'alice',
      aud: RESOURCE,
      scope: 'issues.read',
      client_id: 'gateway',
      act: { sub: 'gateway' },
    });
    const asked = provider.requests.filter((path) => path === '/token').length;
    expect(await outcomeOfCall(url, token, 'ping')).toBe('ok');
    expect(provider.requests.filter((path) => path === '/token')).toHaveLength(asked);
  });

  it('is not called with a token that is for more than was asked for', async () => {
    await acme.replace(
      '/servers/tracker',
      server({
        mode: 'token-exchange',
        resource: RESOURCE,
        scopes: [],
        tokenAudience: 'https://else.example',
      }),
    );
    expect(await outcomeOfCall(url, await aliceToken(), 'ping')).toBe('upstream_token_unfit');
  });

  it('is sent its own secret in its own header, also a changed one, and nothing of the caller', async () => {
    writeSecret('tracker-key', 'key-1\n');
    const secret = { name: 'tracker-key', header: 'x-api-key' };
    await acme.replace('/servers/tracker', server({ mode: 'static', secret }));
    const token = await aliceToken();
    expect(await outcomeOfCall(url, token, 'ping')).toBe('ok');
    expect(upstream.seenHeaders()).toMatchObject({ 'x-api-key': 'key-1' });
    expect(JSON.stringify(upstream.seenHeaders())).not.toContain(token);
    writeSecret('tracker-key', 'key-2');
    await vi.waitFor(
      async () => {
        expect(await outcomeOfCall(url, token, 'ping')).toBe('ok');
        expect(upstream.seenHeaders()).toMatchObject({ 'x-api-key': 'key-2' });
      },
      { timeout: 20_000, interval: 500 },
    );
  });

  it('leaves no secret and no token in a log', async () => {
    const logs = await product.allLogs();
    expect(logs).toContain('upstream_token_unfit');
    for (const text of ['key-1', 'key-2', 'PRIVATE KEY']) expect(logs).not.toContain(text);
  });
});
