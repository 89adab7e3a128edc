// Which open answers a change or a command ends. Pure. ext-authz decides who may call; this only takes back what was
// opened before a switch was thrown.

import type { FeedEvent } from '#core/feed-message.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import { findTenant, type Snapshot } from '#core/snapshot.ts';
import { findServer } from '#core/tenant.ts';

const isServed = (snapshot: Snapshot, orders: GuardOrders): boolean => {
  const tenant = findTenant(snapshot, orders.tenantId);
  const server = tenant === undefined ? undefined : findServer(tenant, orders.serverId);
  return server?.enabled === true;
};

/**
 * True if the server of a call is disabled or gone in `snapshot`. A snapshot older than the one the call was judged by,
 * or none at all (sequence 0), proves nothing: the server may be newer than our copy.
 */
export const isSwitchedOff = (snapshot: Snapshot, orders: GuardOrders): boolean =>
  snapshot.sequence > 0 && snapshot.sequence >= orders.sequence && !isServed(snapshot, orders);

/**
 * True if the step from one snapshot to the next takes the server of an open answer away. The step counts even where
 * sequences do not compare: a registry restored from a backup begins lower than the calls it finds running.
 */
export const isTakenAway = (before: Snapshot, after: Snapshot, orders: GuardOrders): boolean =>
  isSwitchedOff(after, orders) || (isServed(before, orders) && !isServed(after, orders));

/** True if a terminate-streams command means the answer to this call. */
export const isMeant = (event: FeedEvent, orders: GuardOrders): boolean =>
  event.tenantId === orders.tenantId &&
  (event.serverId === undefined || event.serverId === orders.serverId) &&
  (event.principal === undefined || event.principal === orders.principal);
