// What the demo's registry holds after the first start: one tenant, two issuers, two servers, who may use what. Pure:
// the text of the HTTP requests, not their sending.

import type { Grant } from '#core/grant.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { Publisher, PublisherKey } from '#core/publisher.ts';
import type { IssuerBinding, McpServer, ServerVersion, Tool } from '#core/server.ts';
import type { SignInFacade } from '#core/sign-in-facade.ts';
import type { TenantSettings } from '#core/tenant.ts';
import { APPLICATION_IDS, CONTOSO_TID, FABRIKAM_TID, GROUPS } from '#demo/directory.ts';
import { REPORTS_TOOLS } from '#demo/servers/reports/tools.ts';
import { TRACKER_TOOLS } from '#demo/servers/tracker/tools.ts';

export type SeedPlaces = {
  readonly providerOrigin: string;
  readonly trackerPort: number;
  readonly reportsPort: number;
};

export type SeedServer = {
  readonly id: string;
  readonly settings: Omit<McpServer, 'id' | 'activeVersion' | 'versions' | 'enabled'>;
  readonly version: Omit<ServerVersion, 'version'>;
};

export type SeedWorld = {
  readonly tenant: TenantSettings;
  readonly issuers: readonly TrustedIssuer[];
  readonly servers: readonly SeedServer[];
  readonly grants: readonly Grant[];
  readonly publishers: readonly Publisher[];
};

const MAX_BODY_BYTES = 1_048_576;

/** In force where the demo is started with OAUTH_FACADE_PUBLIC_URL. */
const facadeAt = (origin: string): SignInFacade => ({
  clientId: APPLICATION_IDS.gatewayFacade,
  secretName: 'gateway-facade',
  authorizationEndpoint: `${origin}/{tenantid}/oauth2/v2.0/authorize`,
  tokenEndpoint: `${origin}/{tenantid}/oauth2/v2.0/token`,
  scopes: ['openid', 'offline_access'],
  sendsResource: false,
  clientDocuments: true,
  registration: true,
});

const issuerOf = (
  origin: string,
  facts: { readonly id: string; readonly tid: string; readonly relation: 'home' | 'partner' },
): TrustedIssuer => ({
  id: facts.id,
  kind: 'entra',
  issuer: `${origin}/{tenantid}/v2.0`,
  jwksUri: `${origin}/common/discovery/v2.0/keys`,
  tokenEndpoint: `${origin}/{tenantid}/oauth2/v2.0/token`,
  groupLookup: {
    clientId: APPLICATION_IDS.gatewayDirectory,
    secretName: 'gateway-directory',
    graphUrl: origin,
  },
  ...(facts.relation === 'home' ? { facade: facadeAt(origin) } : {}),
  algorithms: ['RS256'],
  relation: facts.relation,
  directoryTenants: [facts.tid],
  claims: { groups: 'groups', roles: 'roles', scopes: 'scp', name: 'name' },
  clockToleranceSeconds: 30,
  enabled: true,
});

const bindingsOf = (clientId: string, secretName: string): readonly IssuerBinding[] =>
  ['contoso', 'fabrikam'].map((issuerId) => ({
    issuerId,
    audiences: [clientId],
    requiredScopes: ['tools.use'],
    oboApplication: { clientId, secretName },
  }));

const versionOf = (
  port: number,
  protocolVersions: readonly string[],
  tools: readonly Tool[],
): SeedServer['version'] => ({
  endpoints: [`http://127.0.0.1:${port}/mcp`],
  transport: 'streamable-http',
  protocolVersions,
  tools,
});

const LEGACY = ['2025-03-26', '2025-06-18', '2025-11-25'];

const trackerOf = (port: number): SeedServer => ({
  id: 'tracker',
  settings: {
    displayName: 'Issue tracker',
    allowedHosts: [`127.0.0.1:${port}`],
    upstreamAuth: { mode: 'obo', scopes: ['api://tracker/.default'], appOnly: 'client-credentials' },
    bindings: bindingsOf(APPLICATION_IDS.gatewayTracker, 'gateway-tracker'),
    constraints: [
      {
        name: 'priority-critical-needs-on-call',
        tool: 'create_issue',
        pointer: '/priority',
        oneOf: ['low', 'medium', 'high'],
        exceptGroups: [GROUPS.onCall.id],
      },
    ],
    refusalStatus: 200,
    maxBodyBytes: MAX_BODY_BYTES,
  },
  version: versionOf(port, [...LEGACY, '2026-07-28'], TRACKER_TOOLS),
});

const reportsOf = (port: number): SeedServer => ({
  id: 'reports',
  settings: {
    displayName: 'Reports',
    allowedHosts: [`127.0.0.1:${port}`],
    upstreamAuth: { mode: 'obo', scopes: ['api://reports/.default'], appOnly: 'refuse' },
    bindings: bindingsOf(APPLICATION_IDS.gatewayReports, 'gateway-reports'),
    constraints: [],
    refusalStatus: 200,
    maxBodyBytes: MAX_BODY_BYTES,
  },
  version: versionOf(port, LEGACY, REPORTS_TOOLS),
});

const grant = (
  id: string,
  serverId: string,
  subject: Grant['subjects'][number],
  tools: readonly string[],
): Grant => ({ id, serverId, subjects: [subject], tools, prompts: [], resources: [] });

const group = (value: { readonly id: string }, issuerId?: string): Grant['subjects'][number] => ({
  kind: 'group',
  id: value.id,
  ...(issuerId === undefined ? {} : { issuerId }),
});

const SUPPORT_TOOLS = ['list_issues', 'get_issue', 'create_issue', 'search_documents', 'whoami'];
const READ_ONLY = ['list_issues', 'whoami'];

const GRANTS: readonly Grant[] = [
  grant('engineering-tracker', 'tracker', group(GROUPS.engineering), ['*']),
  grant('engineering-reports', 'reports', group(GROUPS.engineering), ['*']),
  grant('support-tracker', 'tracker', group(GROUPS.support), SUPPORT_TOOLS),
  grant('fabrikam-auditors-tracker', 'tracker', group(GROUPS.fabrikamAuditors, 'fabrikam'), READ_ONLY),
  grant(
    'nightly-report-tracker',
    'tracker',
    { kind: 'application', id: APPLICATION_IDS.nightlyReport },
    READ_ONLY,
  ),
];

/** One team publishes both servers. */
const publishersWith = (keys: readonly PublisherKey[]): readonly Publisher[] =>
  keys.length === 0
    ? []
    : [{ id: 'demo-team', displayName: 'Demo team', keys, servers: ['reports', 'tracker'] }];

/** The world for the given addresses; without publisher keys nobody may publish signed manifests. */
export const buildSeedWorld = (
  { providerOrigin, trackerPort, reportsPort }: SeedPlaces,
  publisherKeys: readonly PublisherKey[] = [],
): SeedWorld => ({
  tenant: {
    displayName: 'Contoso',
    accessContact: 'ada@contoso.example',
    allowedOrigins: [],
    // The demo has one admin. With four eyes nobody could approve what he publishes.
    fourEyes: false,
  },
  issuers: [
    issuerOf(providerOrigin, { id: 'contoso', tid: CONTOSO_TID, relation: 'home' }),
    issuerOf(providerOrigin, { id: 'fabrikam', tid: FABRIKAM_TID, relation: 'partner' }),
  ],
  servers: [trackerOf(trackerPort), reportsOf(reportsPort)],
  grants: GRANTS,
  publishers: publishersWith(publisherKeys),
});
