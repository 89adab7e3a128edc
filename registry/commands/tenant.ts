// Creates a tenant, or replaces its settings. What it owns has commands of their own.

import type { Tenant, TenantSettings } from '#core/tenant.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { settle } from '#registry/commands/settle.ts';
import { TENANT_SINGLES } from '#registry/feed/tenant-parts.ts';

/** By the one list of them: a kind that were forgotten here would be lost with the next change of a setting. */
const singlesOf = (tenant: Tenant | undefined): Partial<Tenant> =>
  Object.fromEntries(
    TENANT_SINGLES.flatMap(({ field }) => (tenant?.[field] === undefined ? [] : [[field, tenant[field]]])),
  );

/**
 * @param before undefined for a new tenant.
 * @returns the tenant with these settings; what it owns stays.
 */
export const putTenant = (
  before: Tenant | undefined,
  { id, settings }: { readonly id: string; readonly settings: TenantSettings },
): Outcome => {
  const { revision = 0, issuers = [], servers = [], grants = [] } = before ?? {};
  const { publishers = [], killSwitches = [] } = before ?? {};
  const owned = { issuers, servers, grants, publishers, killSwitches, ...singlesOf(before) };
  const after: Tenant = { id, revision, ...settings, ...owned };
  return settle({ before, after, resource: 'tenant' });
};
