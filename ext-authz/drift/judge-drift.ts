// Tools that are served otherwise than was approved: calls to them, and lists they would be in. Asked after the policy: to a
// caller without the tool it must read like one that is not there. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { type DriftState, driftingTools, findDrift } from '#core/drift-book.ts';
import { responseGuardOf } from '#core/guard-in-force.ts';
import type { ListOrder } from '#core/guard-orders.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { ServerVersion } from '#core/server.ts';
import { hideTools } from '#ext-authz/hide-tools.ts';
import type { Place } from '#ext-authz/locate.ts';

/** `version` is the one the call is routed to. */
type Where = { readonly place: Pick<Place, 'tenant' | 'server'>; readonly version: ServerVersion };

/** Undefined where the tenant does not want such tools hidden, or nothing drifts at all. */
const placeOfHidden = (state: DriftState, { place: { tenant, server }, version: { version } }: Where) =>
  state.size === 0 || responseGuardOf(tenant, server).drift !== 'hide'
    ? undefined
    : { tenantId: tenant.id, serverId: server.id, version };

/**
 * One replica that serves a tool otherwise is enough: nobody knows yet which one the call would reach.
 * @returns tool_drifted where the tenant wants such tools hidden; undefined where not, or where none of the call drifts.
 */
export const judgeDrift = (
  state: DriftState,
  of: Where & { readonly call: Pick<McpCall, 'targets'> },
): Deny | undefined => {
  const at = placeOfHidden(state, of);
  if (at === undefined) return undefined;
  const [first] = of.call.targets.flatMap(({ kind, name: tool }) =>
    kind === 'tool' ? (findDrift(state, { ...at, tool }) ?? []) : [],
  );
  return first === undefined
    ? undefined
    : deny('tool_drifted', { log: { version: at.version, tool: first.tool, since: first.since } });
};

/**
 * The lists of an answer without the tools to which calls are refused, also where the replica that answers serves them as
 * they were approved. What it serves is compared all the same, or nobody would see when it is over.
 */
export const hideDriftingTools = (
  lists: readonly ListOrder[],
  state: DriftState,
  where: Where,
): readonly ListOrder[] => {
  const at = placeOfHidden(state, where);
  return at === undefined ? lists : hideTools(lists, where.version, new Set(driftingTools(state, at)));
};
