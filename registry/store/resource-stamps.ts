// In which revision each resource of a tenant last changed: its ETag. A stamp never repeats, also when a resource is
// removed and made again, because revisions of a tenant only go up.

import type { Tenant } from '#core/tenant.ts';
import { type ResourceName, resourcesOf } from '#registry/commands/resources.ts';
import { isSameJson } from '#registry/commands/same-json.ts';

export type ResourceStamps = Readonly<Record<ResourceName, number>>;

/** Stamps after a change: what differs gets `revision`, the rest keeps its own. */
export const stampResources = (
  before: { readonly tenant: Tenant; readonly stamps: ResourceStamps } | undefined,
  after: Tenant,
  revision: number,
): ResourceStamps => {
  const old = before === undefined ? new Map<string, object>() : resourcesOf(before.tenant);
  const stamps = [...resourcesOf(after)].map(([name, resource]) => {
    const kept = isSameJson(old.get(name), resource) ? before?.stamps[name] : undefined;
    return [name, kept ?? revision] as const;
  });
  return Object.fromEntries(stamps);
};
