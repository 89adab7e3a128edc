// Gives a tenant host names of its own, or takes them away. That nobody else has them is judged where all tenants are
// seen at once: in the store.

import { err } from '#core/result.ts';
import type { Tenant, TenantHosts } from '#core/tenant.ts';
import { notFound, type Outcome } from '#registry/commands/outcome.ts';
import { HOSTS_NAME } from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';

/** The tenant with these host names and no others; sorted, so that their order is no change. */
export const putHosts = (before: Tenant, { names }: TenantHosts): Outcome =>
  settle({ before, after: { ...before, hosts: { names: names.toSorted() } }, resource: HOSTS_NAME });

/** The tenant without host names of its own. */
export const removeHosts = (before: Tenant): Outcome => {
  const { hosts, ...after } = before;
  return hosts === undefined
    ? err(notFound('the host names'))
    : settle({ before, after, resource: HOSTS_NAME });
};
