// /v1/tenants/{tenant}/hosts: the host names that lead to this tenant and to no other.

import type { FastifyInstance } from 'fastify';
import type { TenantHosts } from '#core/tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import type { Problem } from '#registry/api/problem.ts';
import { registerSingleResource } from '#registry/api/single-resource.ts';
import { putHosts, removeHosts } from '#registry/commands/hosts.ts';
import { HOSTS_NAME } from '#registry/commands/resources.ts';
import { TenantHostsSchema } from '#registry/feed/schema/tenant-hosts-schema.ts';

/** A name that led to two tenants would lead to neither. Two who write it at once: the later is asked again, and told here. */
const judgeHolders = async (
  { store }: ApiContext,
  tenantId: string,
  { names }: TenantHosts,
): Promise<Problem | undefined> => {
  const holders = await store.findHostHolders(names);
  const errors = names.flatMap((name, index) => {
    const holder = holders.get(name);
    return holder === undefined || holder === tenantId
      ? []
      : [{ pointer: `/names/${index}`, message: `belongs to tenant ${holder}` }];
  });
  return errors.length === 0
    ? undefined
    : { status: 409, code: 'conflict', detail: 'Another tenant has such a host name.', errors };
};

export const registerHosts = (app: FastifyInstance, context: ApiContext): void =>
  registerSingleResource<TenantHosts>(app, context, {
    path: 'hosts',
    name: HOSTS_NAME,
    find: ({ hosts }) => hosts,
    schema: TenantHostsSchema,
    tag: 'tenants',
    writeAccess: 'platform',
    summaries: {
      read: "Read a tenant's own host names",
      put: 'Give a tenant host names of its own',
      about:
        "Calls by one of these names reach this tenant only, at `/mcp/{server}` and `/t/{tenant}/mcp/{server}`; challenges and metadata name it. No name is two tenants'.",
      remove: "Take a tenant's own host names away",
    },
    put: (_context, _tenantId, given) => (tenant) => putHosts(tenant, given),
    remove: removeHosts,
    judge: judgeHolders,
  });
