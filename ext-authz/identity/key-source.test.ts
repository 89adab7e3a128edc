import { describe, expect, it } from 'vitest';
import { discoveryUriOf } from '#core/issuer.ts';
import { keySourceOf, parseDiscovery, sourceName } from '#ext-authz/identity/key-source.ts';
import { oidcIssuer } from '#test/support/token-issuer.ts';

const ISSUER = 'https://idp.example';
const document = (changes: object = {}): string =>
  JSON.stringify({ issuer: ISSUER, jwks_uri: 'https://keys.example/set', ...changes });

const discovered = (issuer: string, discoveryUri: string) => {
  const { jwksUri: _, ...rest } = oidcIssuer('unused', { issuer });
  return { ...rest, discoveryUri };
};

describe('parseDiscovery()', () => {
  it('reads where the keys are', () => {
    expect(parseDiscovery(document(), ISSUER)).toEqual({ ok: true, value: 'https://keys.example/set' });
  });

  it.each([
    ['of another issuer', document({ issuer: 'https://evil.example' }), 'names another issuer'],
    ['of the issuer with a slash', document({ issuer: `${ISSUER}/` }), 'names another issuer'],
    ['of no issuer', document({ issuer: undefined }), 'names another issuer'],
    ['of several issuers', document({ issuer: [ISSUER] }), 'names another issuer'],
    ['without keys', document({ jwks_uri: undefined }), 'names no key set'],
    ['with a list of key sets', document({ jwks_uri: ['https://keys.example/set'] }), 'names no key set'],
    ['that is a page', '<html></html>', 'is not a discovery document'],
    ['that is a list', '[]', 'is not a discovery document'],
  ])('refuses a document %s', (_title, text, fault) => {
    const parsed = parseDiscovery(text, ISSUER);
    expect(parsed.ok ? '' : parsed.error).toContain(fault);
  });
});

describe('sourceName()', () => {
  it('keeps what two issuers find in one document apart', () => {
    const uri = 'https://idp.example/.well-known/openid-configuration';
    const names = [discovered(ISSUER, uri), discovered('https://other.example', uri)].map((issuer) =>
      sourceName(keySourceOf(issuer)),
    );
    expect(new Set(names).size).toBe(2);
  });

  it('gives no written address the name of a discovery', () => {
    const victim = sourceName(keySourceOf(discovered(ISSUER, 'https://idp.example/d')));
    const rival = keySourceOf(oidcIssuer(victim));
    expect(victim).toMatch(/^\[/);
    expect(URL.canParse(sourceName(rival))).toBe(false);
  });
});

describe('discoveryUriOf()', () => {
  it.each([
    ['https://idp.example', 'https://idp.example/.well-known/openid-configuration'],
    ['https://acme.eu.auth0.com/', 'https://acme.eu.auth0.com/.well-known/openid-configuration'],
    ['https://sso.example/realms/a', 'https://sso.example/realms/a/.well-known/openid-configuration'],
    [
      'https://login.microsoftonline.com/{tenantid}/v2.0',
      'https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration',
    ],
  ])('of %s', (issuer, uri) => {
    expect(discoveryUriOf(issuer)).toBe(uri);
  });
});
