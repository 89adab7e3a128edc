// How large a tenant is as JSON. Its parts are measured once each: what a change leaves alone are the same objects.

import type { Tenant } from '#core/tenant.ts';
import { settingsOf } from '#registry/commands/resources.ts';
import { TENANT_LISTS, TENANT_SINGLES } from '#registry/feed/tenant-parts.ts';

const measured = new WeakMap<object, number>();

const sizeOf = (part: object): number => {
  const known = measured.get(part);
  if (known !== undefined) return known;
  const size = Buffer.byteLength(JSON.stringify(part));
  measured.set(part, size);
  return size;
};

/** Bytes, without the few that join the parts. */
export const tenantBytes = (tenant: Tenant): number => {
  const lists = [...TENANT_LISTS.flatMap(({ field }): readonly object[] => tenant[field]), ...tenant.servers];
  const singles = TENANT_SINGLES.flatMap(({ field }) => tenant[field] ?? []);
  return [settingsOf(tenant), ...lists, ...singles].reduce((sum, part) => sum + sizeOf(part), 0);
};
