// Adds, replaces and removes servers, and throws their kill switch. Versions have commands of their own.

import { err } from '#core/result.ts';
import type { McpServer } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import { notFound, type Outcome } from '#registry/commands/outcome.ts';
import { withItem, withoutItem } from '#registry/commands/replace-by-id.ts';
import { serverName } from '#registry/commands/resources.ts';
import { settle } from '#registry/commands/settle.ts';

/**
 * What an admin sets. The kill switch, the versions and how calls are spread over them are not among it: replacing a
 * server must undo none of it.
 */
export type ServerSettings = Omit<McpServer, 'id' | 'enabled' | 'activeVersion' | 'traffic' | 'versions'>;

const settleServer = (before: Tenant, server: McpServer): Outcome =>
  settle({
    before,
    after: { ...before, servers: withItem(before.servers, server) },
    resource: serverName(server.id),
  });

/** Adds a server, switched on and without a version, or replaces the settings of the one with this id. */
export const putServer = (
  before: Tenant,
  { id, settings }: { readonly id: string; readonly settings: ServerSettings },
): Outcome => {
  const { enabled = true, activeVersion = '', traffic, versions = [] } = findServer(before, id) ?? {};
  const spread = traffic === undefined ? {} : { traffic };
  return settleServer(before, { id, enabled, ...settings, activeVersion, ...spread, versions });
};

/** Throws or releases the kill switch. */
export const setServerState = (
  before: Tenant,
  { id, enabled }: { readonly id: string; readonly enabled: boolean },
): Outcome => {
  const server = findServer(before, id);
  if (server === undefined) return err(notFound(`server ${id}`));
  const after = { ...before, servers: withItem(before.servers, { ...server, enabled }) };
  // Judged as the tenant, not as the server: no fault of its settings may stand in the way of switching it off.
  return settle({ before, after, resource: `${serverName(id)}/state` });
};

/** Removes a server that no grant names. */
export const removeServer = (before: Tenant, id: string): Outcome =>
  findServer(before, id) === undefined
    ? err(notFound(`server ${id}`))
    : settle({
        before,
        after: { ...before, servers: withoutItem(before.servers, id) },
        resource: serverName(id),
      });
