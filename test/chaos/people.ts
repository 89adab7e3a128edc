// Who calls: the identity provider's two directories with more people than the demo has, and which of them may do what.
// A tenant of the gateway trusts one directory each, so that a token of the other is a stranger's.

import {
  APPLICATION_IDS,
  CONTOSO_TID,
  type DemoDirectory,
  type DemoUser,
  FABRIKAM_TID,
  GROUPS,
} from '#demo/directory.ts';

/** Enough that no answer belongs to the caller by luck. */
const PEOPLE_PER_DIRECTORY = 6;

export type Tenant = {
  readonly id: string;
  readonly issuerId: string;
  readonly tid: string;
};

/** Tenants with callers. */
export const TENANTS: readonly Tenant[] = [
  { id: 'acme', issuerId: 'contoso', tid: CONTOSO_TID },
  { id: 'beta', issuerId: 'fabrikam', tid: FABRIKAM_TID },
];

export type Server = {
  readonly id: string;
  /** Client id of the application that stands for it at the gateway, and its secret's name. */
  readonly gatewayApplication: string;
  readonly secretName: string;
  /** Client id of the application of the server itself: the audience of what may reach it. */
  readonly api: string;
  readonly scope: string;
};

/** Each tenant has these. */
export const SERVERS: readonly Server[] = [
  {
    id: 'tracker',
    gatewayApplication: APPLICATION_IDS.gatewayTracker,
    secretName: 'gateway-tracker',
    api: APPLICATION_IDS.trackerApi,
    scope: 'api://tracker/.default',
  },
  {
    id: 'reports',
    gatewayApplication: APPLICATION_IDS.gatewayReports,
    secretName: 'gateway-reports',
    api: APPLICATION_IDS.reportsApi,
    scope: 'api://reports/.default',
  },
];

/** Tools of every server: everybody has the first three, nobody of the support group the fourth. */
export const OPEN_TOOLS = ['read', 'count', 'watch'] as const;
export const CLOSED_TOOL = 'erase';
/** What is lent to a few and taken back while the load runs, and to whom: by their places among the people of a tenant. */
export const LENT_TOOL = 'borrow';
export const BORROWERS: readonly number[] = [2, 3];
export const TOOLS: readonly string[] = [...OPEN_TOOLS, CLOSED_TOOL, LENT_TOOL];

const person = (tenant: Tenant, index: number): DemoUser => ({
  name: `${tenant.id}-${index}`,
  displayName: `${tenant.id} ${index}`,
  oid: `30000000-0000-4000-8000-${tenant.id === 'acme' ? 'a' : 'b'}${String(index).padStart(11, '0')}`,
  groups: [index % 2 === 0 ? GROUPS.engineering : GROUPS.support],
  roles: {},
  password: `${tenant.id}-${index}-password`,
});

/** People of a tenant; those with an even number may use the closed tool too. */
export const peopleOf = (tenant: Tenant): readonly DemoUser[] =>
  Array.from({ length: PEOPLE_PER_DIRECTORY }, (_, index) => person(tenant, index));

const ADMIN: DemoUser = {
  name: 'admin',
  displayName: 'Ada Admin',
  oid: '10000000-dddd-4ddd-8ddd-00000000000d',
  groups: [],
  roles: { [APPLICATION_IDS.registryApi]: ['platform-admin'] },
  password: 'admin-demo-password',
};

/** As the identity provider has them. */
export const PEOPLE: readonly DemoDirectory[] = TENANTS.map((tenant) => ({
  tid: tenant.tid,
  name: tenant.issuerId,
  users: tenant.tid === CONTOSO_TID ? [...peopleOf(tenant), ADMIN] : peopleOf(tenant),
}));
