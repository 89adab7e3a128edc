// Of which clusters figures are kept, by the settings of their servers. Pure.

import { findVersion, type McpServer } from '#core/server.ts';
import { findTenant, type Snapshot } from '#core/snapshot.ts';
import { findServer } from '#core/tenant.ts';
import type { Interest } from '#xds-server/figures/figure-book.ts';
import { ownerOfCluster } from '#xds-server/translate/names.ts';

const interestInServer = (server: McpServer): Interest => ({
  calls: server.traffic !== undefined,
  ...(server.adaptive === undefined ? {} : { adaptive: server.adaptive }),
  replicas: server.upstream?.loadBalancing?.policy === 'least-latency',
});

/** Undefined for a cluster that no version of the snapshot has. */
export const interestIn = (snapshot: Snapshot, cluster: string): Interest | undefined => {
  const owner = ownerOfCluster(cluster);
  const tenant = owner && findTenant(snapshot, owner.tenantId);
  const server = tenant && findServer(tenant, owner.serverId);
  return server && findVersion(server, owner.version) && interestInServer(server);
};
