// The demo's world as its identity provider knows it: two directories, their users, groups and applications.
// Ids are fixed so that documents, tests and screens can name them. Secrets here guard sample data only;
// `start:production` refuses every one of them.

import type { JWK } from 'jose';

export type DemoGroup = { readonly id: string; readonly name: string };

export type DemoUser = {
  readonly name: string;
  readonly displayName: string;
  readonly oid: string;
  readonly groups: readonly DemoGroup[];
  /** App roles by application client id. */
  readonly roles: Readonly<Record<string, readonly string[]>>;
  readonly password: string;
};

export type DemoDirectory = {
  readonly tid: string;
  readonly name: string;
  readonly users: readonly DemoUser[];
};

/** Exact values, and the public keys of the issuer (Entra would fetch them by discovery). */
export type FederatedCredential = {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  readonly keys: readonly JWK[];
};

export type DemoApplication = {
  readonly name: string;
  readonly clientId: string;
  /** Present: a confidential client, as with the next two. */
  readonly secret?: string;
  /** PEM of certificates whose keys sign its assertions. */
  readonly certificates?: readonly string[];
  /** Workload identities elsewhere whose assertions count as its own. */
  readonly federatedCredentials?: readonly FederatedCredential[];
  /** The resource it exposes: Application ID URI and delegated scopes. */
  readonly identifierUri?: string;
  /** Further Application ID URIs: addresses of MCP endpoints, which clients send as `resource`. */
  readonly otherUris?: readonly string[];
  /** Where a sign-in may lead back to; on this machine at any port. */
  readonly redirectUris?: readonly string[];
  readonly scopes: readonly string[];
  /** App roles that app-only tokens for this resource carry, by client id of the caller. */
  readonly appRoles: Readonly<Record<string, readonly string[]>>;
  /** Directories in which it can be used: its own, or others too (multi-tenant). */
  readonly directories: readonly string[];
  /** Resources this application may ask for on behalf of a user or for itself: consent that an admin has given. */
  readonly consentedResources: readonly string[];
};

/** True for an application that can prove who it is. */
export const isConfidential = ({
  secret,
  certificates = [],
  federatedCredentials = [],
}: DemoApplication): boolean => secret !== undefined || certificates.length + federatedCredentials.length > 0;

export const CONTOSO_TID = '3f1c7a52-6d0e-4b8a-9c41-0a5e6b7d8c10';
export const FABRIKAM_TID = '8b2d4e61-1f3a-4c7b-a5d2-7c9e0f1b2a34';

export const GROUPS = {
  engineering: { id: '0d5a1f0e-7a51-4f0c-8d64-2b8c1e3f5a01', name: 'engineering' },
  support: { id: '5e8b2c6f-3d94-4e17-b0a8-9f6d7c2b1a02', name: 'support' },
  onCall: { id: '91c4e7d3-2b68-4a5f-8e10-6d3f5b7a9c03', name: 'on-call' },
  fabrikamAuditors: { id: 'c7f0a3b5-8e42-4d19-97c6-1a2b3c4d5e04', name: 'fabrikam-auditors' },
} as const satisfies Record<string, DemoGroup>;

/** Microsoft Graph has the same id in every directory of the world. */
export const GRAPH_RESOURCE_ID = '00000003-0000-0000-c000-000000000000';

/** What an application may be given at Graph: the first two to read somebody's groups, the last to see who is disabled. */
export const GRAPH_PERMISSIONS = ['User.ReadBasic.All', 'GroupMember.Read.All', 'User.Read.All'] as const;
export type GraphPermission = (typeof GRAPH_PERMISSIONS)[number];

/** Groups of the kind that makes tokens too small: everybody is in them and nobody grants anything to them. */
const manyGroups = (count: number): readonly DemoGroup[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `40000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    name: `project-${index}`,
  }));

export const APPLICATION_IDS = {
  demoCli: '7a9e0c11-52b4-4f7d-8a36-e1d2c3b4a501',
  nightlyReport: '2c6b8f47-9d13-4a05-b7e2-f0a1b2c3d402',
  gatewayTracker: 'a4d1e6b8-0c72-4f39-8b5a-3c2d1e0f9a11',
  gatewayReports: 'b5e2f7c9-1d83-4a4b-9c6b-4d3e2f1a0b12',
  trackerApi: 'c6f3a8d0-2e94-4b5c-8d7c-5e4f3a2b1c21',
  reportsApi: 'd7a4b9e1-3fa5-4c6d-9e8d-6f5a4b3c2d22',
  gatewayFacade: '0ad7e2b4-62d8-4f90-8b10-9c8d7e6f5a51',
  gatewayDirectory: 'f9c6d1a3-51c7-4e8f-9a0f-8b7c6d5e4f41',
  registryApi: 'e8b5c0f2-40b6-4d7e-8f9e-7a6b5c4d3e31',
} as const;

export const DIRECTORIES: readonly DemoDirectory[] = [
  {
    tid: CONTOSO_TID,
    name: 'contoso',
    users: [
      {
        name: 'alice',
        displayName: 'Alice Andersen',
        oid: '10000000-aaaa-4aaa-8aaa-00000000000a',
        groups: [GROUPS.engineering, GROUPS.onCall],
        roles: {},
        password: 'alice-demo-password',
      },
      {
        name: 'bob',
        displayName: 'Bob Brandt',
        oid: '10000000-bbbb-4bbb-8bbb-00000000000b',
        groups: [GROUPS.support],
        roles: {},
        password: 'bob-demo-password',
      },
      {
        name: 'olga',
        displayName: 'Olga Oversight',
        oid: '10000000-eeee-4eee-8eee-00000000000e',
        groups: [...manyGroups(250), GROUPS.support],
        roles: {},
        password: 'olga-demo-password',
      },
      {
        name: 'admin',
        displayName: 'Ada Admin',
        oid: '10000000-dddd-4ddd-8ddd-00000000000d',
        groups: [],
        roles: { [APPLICATION_IDS.registryApi]: ['platform-admin'] },
        password: 'admin-demo-password',
      },
    ],
  },
  {
    tid: FABRIKAM_TID,
    name: 'fabrikam',
    users: [
      {
        name: 'paula',
        displayName: 'Paula Partner',
        oid: '20000000-cccc-4ccc-8ccc-00000000000c',
        groups: [GROUPS.fabrikamAuditors],
        roles: {},
        password: 'paula-demo-password',
      },
    ],
  },
];

const BOTH = [CONTOSO_TID, FABRIKAM_TID];

/** The gateway's applications as they have to be registered for MCP clients: with the addresses of their endpoints. */
export const withEndpoints = (
  applications: readonly DemoApplication[],
  gatewayUrl: string,
): readonly DemoApplication[] =>
  applications.map((application) => {
    const server = /^api:\/\/gateway-(.+)$/.exec(application.identifierUri ?? '')?.[1];
    const paths = [`/mcp/${server}`, `/t/default/mcp/${server}`];
    return server === undefined
      ? application
      : { ...application, otherUris: paths.map((path) => `${gatewayUrl}${path}`) };
  });

export const APPLICATIONS: readonly DemoApplication[] = [
  {
    name: 'demo-cli',
    clientId: APPLICATION_IDS.demoCli,
    redirectUris: ['127.0.0.1', 'localhost'].flatMap((host) =>
      ['/', '/callback', '/oauth/callback'].map((path) => `http://${host}${path}`),
    ),
    scopes: [],
    appRoles: {},
    directories: BOTH,
    consentedResources: [
      APPLICATION_IDS.gatewayTracker,
      APPLICATION_IDS.gatewayReports,
      APPLICATION_IDS.registryApi,
    ],
  },
  {
    name: 'nightly-report',
    clientId: APPLICATION_IDS.nightlyReport,
    secret: 'nightly-report-demo-secret',
    scopes: [],
    appRoles: {},
    directories: [CONTOSO_TID],
    consentedResources: [APPLICATION_IDS.gatewayTracker, APPLICATION_IDS.gatewayReports],
  },
  {
    name: 'gateway-tracker',
    clientId: APPLICATION_IDS.gatewayTracker,
    secret: 'gateway-tracker-demo-secret',
    identifierUri: 'api://gateway-tracker',
    scopes: ['tools.use'],
    appRoles: { [APPLICATION_IDS.nightlyReport]: ['tools.use.all'] },
    directories: BOTH,
    consentedResources: [APPLICATION_IDS.trackerApi],
  },
  {
    name: 'gateway-reports',
    clientId: APPLICATION_IDS.gatewayReports,
    secret: 'gateway-reports-demo-secret',
    identifierUri: 'api://gateway-reports',
    scopes: ['tools.use'],
    appRoles: { [APPLICATION_IDS.nightlyReport]: ['tools.use.all'] },
    directories: BOTH,
    consentedResources: [APPLICATION_IDS.reportsApi],
  },
  {
    name: 'tracker-api',
    clientId: APPLICATION_IDS.trackerApi,
    identifierUri: 'api://tracker',
    scopes: ['tracker.access'],
    appRoles: { [APPLICATION_IDS.gatewayTracker]: ['tracker.access.all'] },
    directories: BOTH,
    consentedResources: [],
  },
  {
    name: 'reports-api',
    clientId: APPLICATION_IDS.reportsApi,
    identifierUri: 'api://reports',
    scopes: ['reports.access'],
    appRoles: { [APPLICATION_IDS.gatewayReports]: ['reports.access.all'] },
    directories: BOTH,
    consentedResources: [],
  },
  {
    name: 'gateway-facade',
    clientId: APPLICATION_IDS.gatewayFacade,
    secret: 'gateway-facade-demo-secret',
    redirectUris: ['http://127.0.0.1/t/default/i/contoso/callback'],
    scopes: [],
    appRoles: {},
    directories: [CONTOSO_TID],
    consentedResources: [APPLICATION_IDS.gatewayTracker, APPLICATION_IDS.gatewayReports],
  },
  {
    name: 'gateway-directory',
    clientId: APPLICATION_IDS.gatewayDirectory,
    secret: 'gateway-directory-demo-secret',
    scopes: [],
    appRoles: {},
    directories: BOTH,
    consentedResources: [GRAPH_RESOURCE_ID],
  },
  {
    name: 'microsoft-graph',
    clientId: GRAPH_RESOURCE_ID,
    identifierUri: 'https://graph.microsoft.com',
    scopes: [],
    appRoles: { [APPLICATION_IDS.gatewayDirectory]: [...GRAPH_PERMISSIONS] },
    directories: BOTH,
    consentedResources: [],
  },
  {
    name: 'registry-api',
    clientId: APPLICATION_IDS.registryApi,
    identifierUri: 'api://mcpgw-registry',
    scopes: ['registry.access'],
    appRoles: {},
    directories: [CONTOSO_TID],
    consentedResources: [],
  },
];
