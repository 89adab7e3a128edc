// An organisation and all it owns. The tenant is the key of everything: policy, cache, quota, audit, metrics.

import type { AdminIssuer } from '#core/admin-issuer.ts';
import type { Grant } from '#core/grant.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { KillSwitch } from '#core/kill-switch.ts';
import type { Publisher } from '#core/publisher.ts';
import type { ResponseGuard } from '#core/response-guard.ts';
import type { McpServer } from '#core/server.ts';
import type { TenantPolicy } from '#core/tenant-policy.ts';

/** The tenant that is also reached without the `/t/{tenant}` prefix. */
export const DEFAULT_TENANT = 'default';

export type TenantSettings = {
  readonly displayName: string;
  /** Whom a refused caller can ask; shown to clients in refusals. */
  readonly accessContact: string;
  /** Web origins whose pages may call, e.g. `https://app.example.com`. A call with any other `Origin` is refused. */
  readonly allowedOrigins: readonly string[];
  /** A snapshot older than this denies every call of the tenant; absent: serve the last good one for ever. */
  readonly maxStaleSeconds?: number;
  /**
   * Where the registry has not been heard for longer than this, nobody can say who was revoked, and every call is denied;
   * absent: what is known of revocations is enough.
   */
  readonly maxRevocationStaleSeconds?: number;
  /** True: a signed manifest is taken only over mutual TLS, with a certificate of the same publisher. Absent: false. */
  readonly requirePublisherCertificate?: boolean;
  /** Nobody approves a version that he published, or that is signed with a key he registered. */
  readonly fourEyes: boolean;
  /** What is done with the answers of all its servers; absent: what is closed (core/response-guard.ts). */
  readonly responseGuard?: ResponseGuard;
};

/** Each in its one spelling (core/host-name.ts). */
export type TenantHosts = { readonly names: readonly string[] };

export type Tenant = TenantSettings & {
  readonly id: string;
  /** Number of the tenant's last committed change. */
  readonly revision: number;
  readonly issuers: readonly TrustedIssuer[];
  readonly servers: readonly McpServer[];
  readonly grants: readonly Grant[];
  readonly publishers: readonly Publisher[];
  /** Whose tokens administer this tenant beside those of the deployment's own; absent: nobody else's. */
  readonly adminIssuer?: AdminIssuer;
  /** Absent: the platform's policy judges alone. */
  readonly policy?: TenantPolicy;
  /** Host names that are this tenant's alone, given by the platform's admins; absent: none. */
  readonly hosts?: TenantHosts;
  /** Sorted by id. */
  readonly killSwitches: readonly KillSwitch[];
};

// A list in a snapshot is never edited, and every call looks for one of maybe a thousand.
const serverIndexes = new WeakMap<Tenant['servers'], ReadonlyMap<string, McpServer>>();

export const findServer = ({ servers }: Tenant, serverId: string): McpServer | undefined => {
  const known = serverIndexes.get(servers);
  const index = known ?? new Map(servers.map((server) => [server.id, server]));
  if (known === undefined) serverIndexes.set(servers, index);
  return index.get(serverId);
};

export const findIssuer = (tenant: Tenant, issuerId: string): TrustedIssuer | undefined =>
  tenant.issuers.find((issuer) => issuer.id === issuerId);
