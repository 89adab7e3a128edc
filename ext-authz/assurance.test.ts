// Unit tests of assurance.ts.
import { describe, expect, it } from 'vitest';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { AssuranceRule } from '#core/server.ts';
import { judgeAssurance } from '#ext-authz/assurance.ts';
import { ALICE, listCall, SERVER, tenant, toolCall } from '#test/support/policy-world.ts';
import { entraIssuer, oidcIssuer } from '#test/support/token-issuer.ts';

const judge = (
  rules: readonly AssuranceRule[],
  given: { identity?: Partial<Identity>; call?: McpCall; kind?: 'entra' | 'oidc' } = {},
) => {
  const { identity = {}, call = toolCall('purge'), kind = 'entra' } = given;
  const [first, ...others] = SERVER.bindings;
  if (first === undefined) throw new Error('the sample server has changed');
  const server = { ...SERVER, bindings: [{ ...first, requiredAssurance: rules }, ...others] };
  const issuer = { ...(kind === 'entra' ? entraIssuer('x') : oidcIssuer('x')), id: 'contoso' };
  const asked = { tenant: { ...tenant([]), issuers: [issuer] }, server, call };
  return judgeAssurance({ ...asked, identity: { ...ALICE, ...identity } });
};

const FOR_PURGE = [{ anyOf: ['c1', 'c2'], tools: ['purge'] }];

describe('judgeAssurance()', () => {
  it('asks nothing where nothing is set, and of no other tool than the named ones', () => {
    expect(judge([])).toBeUndefined();
    expect(judge(FOR_PURGE, { call: toolCall('create_issue') })).toBeUndefined();
    expect(judge(FOR_PURGE, { call: listCall('tools') })).toBeUndefined();
  });

  it('takes any of the values, whole', () => {
    expect(judge(FOR_PURGE, { identity: { assurance: ['pwd', 'c2'] } })).toBeUndefined();
    expect(judge(FOR_PURGE, { identity: { assurance: ['c', 'c11', 'C1', 'c1 c2'] } })?.reason).toBe(
      'assurance_insufficient',
    );
  });

  it('asks for every rule that is for the call; without tools it is for all of them', () => {
    const rules = [{ anyOf: ['c1'] }, ...FOR_PURGE, { anyOf: ['c3'], tools: ['purge'] }];
    expect(judge(rules, { call: listCall('tools') })?.logFacts).toMatchObject({ needed: ['c1'] });
    expect(judge(rules, { identity: { assurance: ['c1'] } })?.logFacts).toMatchObject({ needed: ['c3'] });
    expect(judge(rules, { identity: { assurance: ['c1', 'c3'] } })).toBeUndefined();
  });

  it('asks whoever opens a WebSocket for all of it', () => {
    const call = { ...listCall('tools'), kind: 'upgrade' } as McpCall;
    expect(judge(FOR_PURGE, { call })?.reason).toBe('assurance_insufficient');
  });

  it('holds a token against the rules of the binding that took it', () => {
    expect(judge(FOR_PURGE, { identity: { audience: 'aud-other' } })).toBeUndefined();
    expect(judge(FOR_PURGE, { identity: { issuerId: 'fabrikam' } })).toBeUndefined();
  });

  it('hands Entra claims to clients that can answer them, and to no others', () => {
    const claims = judge(FOR_PURGE, { identity: { claimsChallenges: true } })?.publicFacts.claims ?? '';
    expect(JSON.parse(Buffer.from(claims, 'base64').toString())).toEqual({
      access_token: { acrs: { essential: true, value: 'c1' } },
    });
    const facts = judge(FOR_PURGE)?.publicFacts;
    expect([facts?.claims, facts?.acrValues]).toEqual([undefined, undefined]);
  });

  it('asks other issuers by RFC 9470', () => {
    expect(judge(FOR_PURGE, { kind: 'oidc' })?.publicFacts).toMatchObject({ acrValues: ['c1', 'c2'] });
  });

  it('has the client keep its scopes', () => {
    expect(judge(FOR_PURGE, { kind: 'oidc' })?.publicFacts.heldScopes).toEqual(['tools.use']);
  });

  it('lets no application around it', () => {
    expect(judge(FOR_PURGE, { identity: { kind: 'app' } })?.reason).toBe('app_only_refused');
  });
});
