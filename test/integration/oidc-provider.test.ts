// Tokens of an identity provider that none of us wrote, read by the identity part of ext-authz: an application's and a
// person's, for one audience and not for another.

import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type IdentityBench, startIdentityBench } from '#test/support/identity-bench.ts';
import { type OidcProvider, startOidcProvider } from '#test/support/oidc-provider.ts';
import { oidcIssuer, testServer, testTenant } from '#test/support/token-issuer.ts';

const RESOURCE = 'https://gateway.example/mcp/tracker';
const OTHER = 'https://gateway.example/mcp/other';
const REDIRECT = 'http://127.0.0.1/callback';
const AGENT = { clientId: 'agent', clientSecret: 'agent-secret' };

let provider: OidcProvider;
let bench: IdentityBench;
beforeAll(async () => {
  provider = await startOidcProvider({
    resources: {
      [RESOURCE]: { scope: 'tools.use tools.admin' },
      [OTHER]: { scope: 'tools.use' },
    },
    clients: [
      { client_id: AGENT.clientId, client_secret: AGENT.clientSecret, tokenClaims: { roles: ['reporter'] } },
      {
        client_id: 'desktop',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: [REDIRECT],
        grant_types: ['authorization_code'],
      },
    ],
    accounts: { alice: { groups: ['engineers'] }, bob: {} },
  });
  bench = await startIdentityBench([]);
});
afterAll(async () => {
  await bench?.stop();
  await provider?.stop();
});

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

const tenantOf = () => {
  const issuer = oidcIssuer(provider.jwksUri, { issuer: provider.issuer, tokenType: 'at+jwt' });
  const server = testServer([issuer]);
  const bindings = [{ issuerId: issuer.id, audiences: [RESOURCE], requiredScopes: ['tools.use'] }];
  return { ...testTenant([issuer]), servers: [{ ...server, bindings }] };
};

const userToken = (account: string, scope: string, resource = RESOURCE) =>
  provider.userToken({ clientId: 'desktop', redirectUri: REDIRECT, resource, scope, account });

describe('an identity provider by an independent author', () => {
  it('issues access tokens by RFC 9068 for the resource that was asked for', async () => {
    const token = await provider.clientToken({ ...AGENT, resource: RESOURCE, scope: 'tools.use' });
    expect(decodeProtectedHeader(token)).toMatchObject({ typ: 'at+jwt', alg: 'RS256' });
    expect(decodeJwt(token)).toMatchObject({
      iss: provider.issuer,
      aud: RESOURCE,
      client_id: 'agent',
      scope: 'tools.use',
      roles: ['reporter'],
    });
  });

  it('is believed about an application that acts for itself', async () => {
    const token = await provider.clientToken({ ...AGENT, resource: RESOURCE, scope: 'tools.use' });
    const caller = await bench.authenticate([`Bearer ${token}`], tenantOf(), nowSeconds());
    expect(caller).toMatchObject({ ok: true, value: { identity: { kind: 'app', app: 'agent' } } });
  });

  it('is believed about a person who signed in, with groups and scopes', async () => {
    const token = await userToken('alice', 'tools.use tools.admin');
    const caller = await bench.authenticate([`Bearer ${token}`], tenantOf(), nowSeconds());
    expect(caller).toMatchObject({
      ok: true,
      value: {
        identity: {
          kind: 'user',
          subject: 'alice',
          app: 'desktop',
          groups: ['engineers'],
          scopes: ['tools.use', 'tools.admin'],
        },
      },
    });
  });

  it('does not open one server with a token for another', async () => {
    const token = await userToken('alice', 'tools.use', OTHER);
    expect(await bench.outcomeOf(token, tenantOf(), nowSeconds())).toBe('audience_mismatch');
  });

  it('does not stand in for a scope that the person did not ask for', async () => {
    const token = await userToken('bob', 'tools.admin');
    expect(await bench.outcomeOf(token, tenantOf(), nowSeconds())).toBe('scope_insufficient');
  });
});
