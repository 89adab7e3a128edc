// Which open answers a change or a command ends. Pure. ext-authz decides who may call; this only takes back what was
// opened before a switch was thrown.

import { accessBasis } from '#core/access-basis.ts';
import type { TerminateStreams } from '#core/feed-message.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import { hasLapsed, type KillSwitch, takesIn } from '#core/kill-switch.ts';
import type { Revocation } from '#core/revocation.ts';
import { createRevocationBook, type RevocationBook } from '#core/revocation-book.ts';
import { findTenant, type Snapshot } from '#core/snapshot.ts';
import { findServer } from '#core/tenant.ts';

/** An ext-authz older than switches on callers does not say enough of them: whom it let in may be the one that is meant. */
const mayConcern = ({ target }: KillSwitch, orders: GuardOrders): boolean => {
  const { guard, serverId, tool, resumes, principal, caller } = orders;
  if (
    caller === undefined &&
    (target.kind === 'application' || (target.kind === 'principal' && 'id' in target))
  )
    return true;
  const known = caller ?? { issuerId: '', ids: [], applications: [] };
  return takesIn(target, {
    serverId,
    tools: tool === undefined ? [] : [tool],
    // Nobody can tell which tools are called in a WebSocket either.
    resumes: resumes === true || guard === 'websocket',
    caller: { principal, ...known },
  });
};

const isServed = (snapshot: Snapshot, orders: GuardOrders, nowMs: number): boolean => {
  const tenant = findTenant(snapshot, orders.tenantId);
  const server = tenant === undefined ? undefined : findServer(tenant, orders.serverId);
  if (tenant === undefined || server?.enabled !== true) return false;
  if (orders.basis !== undefined && orders.basis !== accessBasis(tenant, server, orders.version))
    return false;
  return !tenant.killSwitches.some((thrown) => !hasLapsed(thrown, nowMs) && mayConcern(thrown, orders));
};

/**
 * True if the server of a call is disabled or gone in `snapshot`, or a kill switch stops the call. A snapshot older
 * than the one the call was judged by, or none at all (sequence 0), proves nothing: the server may be newer than our copy.
 * @param nowMs wall clock, milliseconds since the epoch: switches may end by themselves.
 */
export const isSwitchedOff = (snapshot: Snapshot, orders: GuardOrders, nowMs: number): boolean =>
  snapshot.sequence > 0 && snapshot.sequence >= orders.sequence && !isServed(snapshot, orders, nowMs);

/**
 * True if the step from one snapshot to the next takes an open answer away. The step counts even where sequences do not
 * compare: a registry restored from a backup begins lower than the calls it finds running.
 */
export const isTakenAway = (
  { before, after }: { readonly before: Snapshot; readonly after: Snapshot },
  orders: GuardOrders,
  nowMs: number,
): boolean =>
  isSwitchedOff(after, orders, nowMs) || (isServed(before, orders, nowMs) && !isServed(after, orders, nowMs));

/** True if a terminate-streams command means the answer to this call. */
export const isMeant = (event: TerminateStreams, orders: GuardOrders): boolean =>
  event.tenantId === orders.tenantId &&
  (event.serverId === undefined || event.serverId === orders.serverId) &&
  (event.principal === undefined || event.principal === orders.principal);

/** True if what the call was let in with was revoked. */
export const isRevoked = (book: RevocationBook, { tenantId, credential }: GuardOrders): boolean =>
  credential !== undefined && book.find(tenantId, credential) !== undefined;

/**
 * True if marks that have just arrived end this answer. An ext-authz older than revocations does not say what its callers
 * came with: anybody of the tenant may be the one that is meant.
 */
export const isEndedBy = (revocations: readonly Revocation[]): ((orders: GuardOrders) => boolean) => {
  const book = createRevocationBook();
  for (const revocation of revocations) book.take(revocation, 0);
  const tenants = new Set(revocations.map(({ tenantId }) => tenantId));
  return (orders) =>
    orders.credential === undefined ? tenants.has(orders.tenantId) : isRevoked(book, orders);
};
