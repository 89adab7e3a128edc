// Which of what was seen is of no concern any more: it can get no call. Pure.

import { findTool } from '#core/find-tool.ts';
import { findVersion, type ServerVersion } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import type { ReplicaSight, ServerName } from '#registry/store/drift.ts';

/** An address as a URL names it, an IPv6 one in its brackets. */
const IP = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

const portOf = ({ port, protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80');

/**
 * Addresses of a version's replicas; undefined where one of them goes by a name, whose addresses are Envoy's to know.
 */
const addressesOf = ({ endpoints }: ServerVersion): ReadonlySet<string> | undefined => {
  const urls = endpoints.map((endpoint) => new URL(endpoint));
  return urls.every(({ hostname }) => IP.test(hostname))
    ? new Set(urls.map((url) => `${url.hostname}:${portOf(url)}`))
    : undefined;
};

/**
 * A version that is not served goes on concerning the sessions that began on it: it is gone when it is removed, or
 * withdrawn from a split, which ends its sessions.
 */
export const isSightGone = (
  tenant: Tenant | undefined,
  { serverId }: Pick<ServerName, 'serverId'>,
  { version, tool, replica }: Pick<ReplicaSight, 'version' | 'tool' | 'replica'>,
): boolean => {
  const server = tenant === undefined ? undefined : findServer(tenant, serverId);
  const pinned = server === undefined ? undefined : findVersion(server, version);
  if (server === undefined || pinned === undefined || findTool(pinned, tool) === undefined) return true;
  if (server.traffic?.withdrawn.includes(version) === true) return true;
  return addressesOf(pinned)?.has(replica) === false;
};
