// A tenant's parts as the API sees them: each with a name that is stable, and a form that says when it changed.

import type { McpServer } from '#core/server.ts';
import type { Tenant, TenantSettings } from '#core/tenant.ts';
import { settingsIn, TENANT_LISTS, TENANT_SINGLES } from '#registry/feed/tenant-parts.ts';

/**
 * `tenant` for its settings, `issuers/{id}`, `servers/{id}`, `servers/{id}/versions/{version}`, `grants/{id}`,
 * `publishers/{id}`, `kill-switches/{id}`, `admin-issuer`, `policy`, `hosts`.
 */
export type ResourceName = string;

export const issuerName = (id: string): ResourceName => `issuers/${id}`;
export const serverName = (id: string): ResourceName => `servers/${id}`;
export const grantName = (id: string): ResourceName => `grants/${id}`;
/** Resources of which a tenant has one or none. */
export const ADMIN_ISSUER_NAME: ResourceName = 'admin-issuer';
/** The tenant's own policy; it has one or none. */
export const POLICY_NAME: ResourceName = 'policy';
export const HOSTS_NAME: ResourceName = 'hosts';
export const publisherName = (id: string): ResourceName => `publishers/${id}`;
export const killSwitchName = (id: string): ResourceName => `kill-switches/${id}`;
export const versionName = (serverId: string, version: string): ResourceName =>
  `servers/${serverId}/versions/${version}`;

export const settingsOf = (tenant: Tenant): TenantSettings => settingsIn(tenant) as TenantSettings;

/** A server as it is read: its versions by name, because a list of all their tools is nobody's first question. */
export type ServerView = Omit<McpServer, 'versions'> & { readonly versions: readonly string[] };

export const serverView = (server: McpServer): ServerView => ({
  ...server,
  versions: server.versions.map(({ version }) => version),
});

/** Every resource of a tenant by name. */
export const resourcesOf = (tenant: Tenant): ReadonlyMap<ResourceName, object> =>
  new Map<ResourceName, object>([
    ['tenant', settingsOf(tenant)],
    ...TENANT_SINGLES.flatMap(({ field, name }) => {
      const single = tenant[field];
      return single === undefined ? [] : [[name, single] as const];
    }),
    ...TENANT_LISTS.flatMap(({ field, prefix }) =>
      tenant[field].map((item) => [`${prefix}/${item.id}`, item] as const),
    ),
    ...tenant.servers.map((server) => [serverName(server.id), serverView(server)] as const),
    ...tenant.servers.flatMap((server) =>
      server.versions.map((version) => [versionName(server.id, version.version), version] as const),
    ),
  ]);
