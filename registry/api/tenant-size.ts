// How large a tenant is as JSON. Its parts are measured once each: what a change leaves alone are the same objects.

import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { settingsOf } from '#registry/commands/resources.ts';
import { TENANT_LISTS, TENANT_SINGLES } from '#registry/feed/tenant-parts.ts';

const measured = new WeakMap<object, number>();

const bytesOf = (part: object): number => Buffer.byteLength(JSON.stringify(part));

const remembered = (part: object, measure: () => number): number => {
  const size = measured.get(part) ?? measure();
  measured.set(part, size);
  return size;
};

const sizeOf = (part: object): number => remembered(part, () => bytesOf(part));

/** A change of a server leaves its other versions alone, and they are what is large. */
const serverSize = (server: McpServer): number =>
  remembered(server, () =>
    server.versions.reduce((sum, version) => sum + sizeOf(version), bytesOf({ ...server, versions: [] })),
  );

/** Bytes, without the few that join the parts. */
export const tenantBytes = (tenant: Tenant): number => {
  const lists = TENANT_LISTS.flatMap(({ field }): readonly object[] => tenant[field]);
  const singles = TENANT_SINGLES.flatMap(({ field }) => tenant[field] ?? []);
  const servers = tenant.servers.reduce((sum, server) => sum + serverSize(server), 0);
  return [settingsOf(tenant), ...lists, ...singles].reduce((sum, part) => sum + sizeOf(part), servers);
};
