// Unit tests of challenge.ts and scopes.ts, read back the way the MCP SDK clients read them.
import { extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';
import { describe, expect, it } from 'vitest';
import { deny } from '#core/decision.ts';
import { DPOP_ALGORITHMS } from '#core/dpop.ts';
import { REASONS, type Reason } from '#core/reason.ts';
import { challengeScopes } from '#core/told-scopes.ts';
import { challengeFromDeny } from '#ext-authz/response/challenge.ts';

const resourceMetadataUrl = 'https://gw.example/.well-known/oauth-protected-resource/mcp/tracker';
const context = { resourceMetadataUrl, scopes: ['api://tracker/tools.use', 'offline_access'] };
const challengeOf = (reason: Reason, facts: Parameters<typeof deny>[1] = {}) =>
  challengeFromDeny(deny(reason, facts), context);

const asClient = (challenge: string | undefined) =>
  extractWWWAuthenticateParams(
    new Response(null, { status: 401, headers: { 'www-authenticate': challenge ?? '' } }),
  );

describe('challengeFromDeny()', () => {
  it('names no error where no token was sent', () => {
    expect(challengeOf('token_missing')).toBe(
      `Bearer resource_metadata="${resourceMetadataUrl}", scope="api://tracker/tools.use"`,
    );
  });

  it('puts the description last and repeats no parameter in it', () => {
    expect(challengeOf('token_expired')).toBe(
      `Bearer error="invalid_token", resource_metadata="${resourceMetadataUrl}", scope="api://tracker/tools.use", ` +
        'error_description="The access token has expired."',
    );
  });

  it('asks for all scopes an operation needs, qualified like those of the server', () => {
    const challenge = challengeOf('scope_insufficient', {
      public: { requiredScopes: ['tools.use', 'issues.close', 'https://other/x'] },
    });
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="api://tracker/tools.use api://tracker/issues.close https://other/x"');
  });

  it('asks again for what is held, because some clients ask for these scopes and no others', () => {
    const challenge = challengeOf('scope_insufficient', {
      public: { requiredScopes: ['tools.use', 'issues.close'], heldScopes: ['tools.use', 'issues.read'] },
    });
    expect(asClient(challenge).scope).toBe(
      'api://tracker/tools.use api://tracker/issues.close api://tracker/issues.read',
    );
  });

  it('hands on the claims of a step-up, and has no challenge without them', () => {
    const challenge = challengeOf('step_up_required', { public: { claims: 'eyJhIjoxfQ==' } });
    expect(challenge).toContain('error="insufficient_claims"');
    expect(challenge).toContain('claims="eyJhIjoxfQ=="');
    expect(challengeOf('step_up_required')).toBeUndefined();
  });

  it('asks for a stronger sign-in in the way of its issuer, or not at all, and for the scopes that are held', () => {
    const heldScopes = ['issues.close'];
    const byClaims = challengeOf('assurance_insufficient', { public: { claims: 'e30=', heldScopes } });
    expect(byClaims).toContain('Bearer error="insufficient_claims"');
    expect(byClaims).toContain('claims="e30="');
    expect(asClient(byClaims).scope).toBe('api://tracker/tools.use api://tracker/issues.close');
    const byAcr = challengeOf('assurance_insufficient', { public: { acrValues: ['urn:a', 'urn:b'] } });
    expect(byAcr).toContain('Bearer error="insufficient_user_authentication"');
    expect(byAcr).toContain('acr_values="urn:a urn:b"');
    expect(challengeOf('assurance_insufficient', { public: { heldScopes } })).toBeUndefined();
  });

  it('is one challenge that the SDK client reads as it was meant, for every reason that has one', () => {
    for (const [name, row] of Object.entries(REASONS)) {
      const challenge = challengeOf(name as Reason, { public: { claims: 'e30=' } });
      if (row.delivery !== 'challenge' && row.delivery !== 'scope') {
        expect(challenge, name).toBeUndefined();
        continue;
      }
      expect(challenge, name).toMatch(/^Bearer [ -~]+$/);
      expect(challenge?.match(/scope=/g), name).toHaveLength(1);
      const read = asClient(challenge);
      expect(read.resourceMetadataUrl?.href, name).toBe(resourceMetadataUrl);
      expect(read.scope, name).toBe('api://tracker/tools.use');
    }
  });

  it('speaks of DPoP alone where every token must be bound, and names what is wrong with a proof', () => {
    const required = { ...context, dpop: 'required' } as const;
    const place = `algs="${DPOP_ALGORITHMS.join(' ')}", resource_metadata="${resourceMetadataUrl}", scope="api://tracker/tools.use"`;
    expect(challengeFromDeny(deny('token_missing'), required)).toBe(`DPoP ${place}`);
    expect(challengeFromDeny(deny('dpop_proof_replayed'), required)).toBe(
      `DPoP error="invalid_dpop_proof", ${place}, error_description="The DPoP proof was used before."`,
    );
    expect(challengeFromDeny(deny('dpop_key_mismatch'), required)).toContain('error="invalid_token"');
  });

  it('begins with Bearer where both are taken, and says what is wrong under the scheme that was used', () => {
    const offered = { ...context, dpop: 'offered' } as const;
    const place = `resource_metadata="${resourceMetadataUrl}", scope="api://tracker/tools.use"`;
    const algs = `algs="${DPOP_ALGORITHMS.join(' ')}"`;
    expect(challengeFromDeny(deny('token_missing'), offered)).toBe(`Bearer ${place}, DPoP ${algs}`);
    const expired = 'error_description="The access token has expired."';
    expect(challengeFromDeny(deny('token_expired'), offered)).toBe(
      `Bearer error="invalid_token", ${place}, ${expired}, DPoP ${algs}`,
    );
    expect(challengeFromDeny(deny('token_expired'), { ...offered, sentByDpop: true })).toBe(
      `Bearer ${place}, DPoP error="invalid_token", ${algs}, ${expired}`,
    );
    const read = asClient(challengeFromDeny(deny('token_expired'), offered));
    expect(read).toMatchObject({ scope: 'api://tracker/tools.use', error: 'invalid_token' });
    expect(read.resourceMetadataUrl?.href).toBe(resourceMetadataUrl);
  });

  it('cannot be broken out of by what it quotes', () => {
    const challenge = challengeFromDeny(
      deny('scope_insufficient', { public: { requiredScopes: ['a"b', 'c\r\nd', 'e\\', 'ü', 'fine'] } }),
      { resourceMetadataUrl: 'https://gw.example/"x\r\ny\\', scopes: [] },
    );
    expect(challenge).toContain('resource_metadata="https://gw.example/xy"');
    expect(challenge).toContain('scope="fine"');
  });

  it('is still a challenge where nothing is known about the resource', () => {
    expect(challengeFromDeny(deny('token_missing'), { scopes: [] })).toBe('Bearer realm="mcp"');
  });
});

describe('challengeScopes()', () => {
  it('qualifies short scopes only where the server advertises one resource', () => {
    expect(challengeScopes(['a'], ['api://x/b', 'api://x/c'])).toEqual(['api://x/a']);
    expect(challengeScopes(['a'], ['api://x/b', 'api://y/c'])).toEqual(['a']);
    expect(challengeScopes(['a'], ['b'])).toEqual(['a']);
  });
});
