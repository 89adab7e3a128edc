// Tokens that came and are not used: of another kind, for more, or for others than was asked for.

import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { Secret } from '#core/secret.ts';
import type { ExchangePlan } from '#ext-authz/token/exchange-plan.ts';
import type { ExchangedToken } from '#ext-authz/token/exchanger.ts';
import { findUnfit } from '#ext-authz/token/unfit.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

const PLAN: ExchangePlan = {
  kind: 'token-exchange',
  application: { clientId: 'app', credential: { kind: 'secret', name: 'app' } },
  tokenEndpoint: 'https://idp.example/token',
  scopes: ['read', 'write'],
  expectedAudience: 'tracker',
};

const jwt = (aud?: string | string[]): Promise<string> => {
  const token = new SignJWT({}).setProtectedHeader({ alg: 'HS256' });
  return (aud === undefined ? token : token.setAudience(aud)).sign(new Uint8Array(32));
};

const judge = async (
  parts: Partial<ExchangedToken> & { text?: string },
  plan: Partial<ExchangePlan> = {},
) => {
  const { text = await jwt('tracker'), ...rest } = parts;
  const token = { token: new Secret(text), expiresInSeconds: 60, issuedTokenType: ACCESS_TOKEN, ...rest };
  const found = findUnfit({ ...PLAN, ...plan }, token);
  return found !== undefined && 'detail' in found ? found.detail : 'fit';
};

describe('findUnfit()', () => {
  it('takes the token that was asked for, also with fewer scopes', async () => {
    expect(await judge({})).toBe('fit');
    expect(await judge({ scopes: ['write', 'read'] })).toBe('fit');
    expect(await judge({ scopes: ['read'] })).toBe('fit');
    expect(await judge({ scopes: [] })).toBe('fit');
  });

  it('refuses scopes nobody asked for', async () => {
    expect(await judge({ scopes: ['read', 'admin'] })).toBe('scopes');
    expect(await judge({ scopes: ['READ'] })).toBe('scopes');
  });

  it('knows that Entra answers with all that was consented to, and that nothing asked is the provider’s choice', async () => {
    expect(await judge({ scopes: ['api://x/other'] }, { kind: 'obo', directory: 'tid' })).toBe('fit');
    expect(await judge({ scopes: ['anything'] }, { scopes: [] })).toBe('fit');
  });

  it.each(['id_token', 'refresh_token', 'jwt', 'saml2'])('refuses an issued %s', async (type) => {
    const issuedTokenType = `urn:ietf:params:oauth:token-type:${type}`;
    expect(await judge({ issuedTokenType })).toBe('token-type');
  });

  it('takes a jwt where one was asked for, and needs to be told the type in an exchange only', async () => {
    const issuedTokenType = 'urn:ietf:params:oauth:token-type:jwt';
    expect(await judge({ issuedTokenType }, { requestedTokenType: 'jwt' })).toBe('fit');
    const untold = { token: new Secret(await jwt('tracker')), expiresInSeconds: 60 };
    expect(findUnfit(PLAN, untold)).toEqual({ kind: 'unfit', detail: 'token-type' });
    expect(findUnfit({ ...PLAN, kind: 'client-credentials' }, untold)).toBeUndefined();
  });

  it('refuses a readable token for others, for others too, or for nobody', async () => {
    expect(await judge({ text: await jwt('reports') })).toBe('audience');
    expect(await judge({ text: await jwt(['tracker', 'reports']) })).toBe('audience');
    expect(await judge({ text: await jwt() })).toBe('audience');
    expect(await judge({ text: await jwt(['tracker']) })).toBe('fit');
  });

  it.each(['opaque', 'a.b.c', 'a.b.c.d.e'])(
    'can say nothing against %s, which only others read',
    async (text) => {
      expect(await judge({ text })).toBe('fit');
    },
  );

  it('looks at no audience where none is expected', async () => {
    const { expectedAudience: _, ...plan } = PLAN;
    const token = { token: new Secret(await jwt('other')), expiresInSeconds: 60 };
    expect(findUnfit({ ...plan, kind: 'obo' }, token)).toBeUndefined();
  });
});
