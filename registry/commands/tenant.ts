// Creates a tenant, or replaces its settings. What it owns has commands of their own.

import type { Tenant, TenantSettings } from '#core/tenant.ts';
import type { Outcome } from '#registry/commands/outcome.ts';
import { settle } from '#registry/commands/settle.ts';

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
  const adminIssuer = before?.adminIssuer === undefined ? {} : { adminIssuer: before.adminIssuer };
  const owned = { issuers, servers, grants, publishers, killSwitches, ...adminIssuer };
  const after: Tenant = { id, revision, ...settings, ...owned };
  return settle({ before, after, resource: 'tenant' });
};
