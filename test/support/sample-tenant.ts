// One valid tenant with one of everything, for tests.

import type { Tenant } from '#core/tenant.ts';

const SAMPLE: Omit<Tenant, 'id' | 'revision'> = {
  displayName: 'Sample tenant',
  accessContact: 'access@example.com',
  allowedOrigins: [],
  fourEyes: false,
  issuers: [
    {
      id: 'home',
      kind: 'entra',
      issuer: 'https://login.example.com/{tenantid}/v2.0',
      jwksUri: 'https://login.example.com/keys',
      tokenEndpoint: 'https://login.example.com/{tenantid}/token',
      algorithms: ['RS256'],
      relation: 'home',
      directoryTenants: ['11111111-1111-4111-8111-111111111111'],
      claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
      clockToleranceSeconds: 30,
      enabled: true,
    },
  ],
  servers: [
    {
      id: 'tracker',
      displayName: 'Issue tracker',
      enabled: true,
      allowedHosts: ['tracker.example.com'],
      upstreamAuth: { mode: 'obo', scopes: ['api://tracker/.default'], appOnly: 'refuse' },
      bindings: [
        {
          issuerId: 'home',
          audiences: ['api://gateway-tracker'],
          requiredScopes: ['tools.use'],
          oboApplication: { clientId: 'gateway-tracker', secretName: 'gateway-tracker' },
        },
      ],
      constraints: [
        { name: 'low-only', tool: 'create_issue', pointer: '/priority', oneOf: ['low'], exceptGroups: [] },
      ],
      refusalStatus: 200,
      maxBodyBytes: 1_048_576,
      activeVersion: '1.0.0',
      versions: [
        {
          version: '1.0.0',
          endpoints: ['https://tracker.example.com/mcp'],
          transport: 'streamable-http',
          protocolVersions: ['2025-11-25'],
          tools: [
            {
              name: 'create_issue',
              inputSchema: { type: 'object' },
              requiredScopes: [],
              tags: [],
              idempotent: false,
            },
          ],
        },
      ],
    },
  ],
  grants: [
    {
      id: 'engineering',
      serverId: 'tracker',
      subjects: [{ kind: 'group', id: 'engineering' }],
      tools: ['*'],
      prompts: [],
      resources: [],
    },
  ],
  publishers: [
    {
      id: 'tracker-team',
      displayName: 'Tracker team',
      keys: [
        {
          kid: 'tracker-2026',
          // Public half of the key of RFC 8037, appendix A.
          jwk: {
            kty: 'OKP',
            alg: 'EdDSA',
            crv: 'Ed25519',
            x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
          },
        },
      ],
      servers: [],
    },
  ],
  killSwitches: [
    {
      id: 'leaked-token',
      target: { kind: 'principal', id: 'mallory', issuerId: 'home' },
      until: '2026-01-31T00:00:00Z',
      note: 'Token seen in a public log',
    },
  ],
};

/** A tenant that every check accepts. */
export const sampleTenant = (id: string, revision = 1): Tenant => ({ id, revision, ...SAMPLE });
