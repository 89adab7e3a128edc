import { describe, expect, it } from 'vitest';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { loosenedLimits } from '#registry/revisions/loosened-limits.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const TENANT = sampleTenant('acme');
const [SERVER] = TENANT.servers as readonly [McpServer];
const [BINDING] = SERVER.bindings;
const [CONSTRAINT] = SERVER.constraints;
const [VERSION] = SERVER.versions;
const [TOOL] = VERSION?.tools ?? [];

const having = (changes: Partial<McpServer>): Tenant => ({ ...TENANT, servers: [{ ...SERVER, ...changes }] });
const binding = (changes: object): Tenant => having({ bindings: [{ ...BINDING, ...changes }] as never });
const requiring = (requiredScopes: readonly string[]): Tenant =>
  having({ versions: [{ ...VERSION, tools: [{ ...TOOL, requiredScopes }] }] as never });

describe('loosenedLimits', () => {
  it.each<[string, Tenant, Tenant]>([
    ['constraint low-only is dropped', TENANT, having({ constraints: [] })],
    [
      'constraint low-only is changed',
      TENANT,
      having({ constraints: [{ ...CONSTRAINT, oneOf: ['low', 'high'] }] as never }),
    ],
    [
      'scope tools.use is no longer required of callers of issuer home',
      TENANT,
      binding({ requiredScopes: [] }),
    ],
    [
      'audience api://other is accepted from issuer home',
      TENANT,
      binding({ audiences: ['api://gateway-tracker', 'api://other'] }),
    ],
    [
      'tokens of issuer home need not be bound to a key any more',
      binding({ dpop: 'required' }),
      binding({ dpop: 'offered' }),
    ],
    ['tool create_issue no longer requires scope admin', requiring(['admin']), TENANT],
    [
      'host a.example.com is allowed',
      TENANT,
      having({ allowedHosts: ['tracker.example.com', 'a.example.com'] }),
    ],
    [
      'upstreamAuth is changed',
      TENANT,
      having({ upstreamAuth: { ...SERVER.upstreamAuth, appOnly: 'client-credentials' } }),
    ],
    [
      'origin https://a.example.com is allowed',
      TENANT,
      { ...TENANT, allowedOrigins: ['https://a.example.com'] },
    ],
    ['maxStaleSeconds is raised', { ...TENANT, maxStaleSeconds: 60 }, TENANT],
    ['maxRevocationStaleSeconds is raised', { ...TENANT, maxRevocationStaleSeconds: 60 }, TENANT],
    ['maxStaleSeconds is raised', { ...TENANT, maxStaleSeconds: 60 }, { ...TENANT, maxStaleSeconds: 90 }],
  ])('says: %s', (message, before, after) => {
    expect(loosenedLimits(before, after).map((limit) => limit.message)).toEqual([message]);
  });

  it('says nothing of what becomes stricter, or comes and goes whole', () => {
    const stricter: readonly (readonly [Tenant, Tenant])[] = [
      [having({ constraints: [] }), TENANT],
      [binding({ requiredScopes: [] }), TENANT],
      [TENANT, binding({ dpop: 'offered' })],
      [binding({ dpop: 'offered' }), binding({ dpop: 'required' })],
      [TENANT, requiring(['admin'])],
      [TENANT, { ...TENANT, maxStaleSeconds: 60 }],
      [TENANT, { ...TENANT, servers: [] }],
      [{ ...TENANT, servers: [] }, TENANT],
      [TENANT, structuredClone(TENANT)],
    ];
    for (const [before, after] of stricter) expect(loosenedLimits(before, after)).toEqual([]);
  });
});
