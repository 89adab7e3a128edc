// Calls to tools that are served otherwise than was approved. Asked after the policy: to a caller without the tool it must
// read like one that is not there. Pure.

import { type Deny, deny } from '#core/decision.ts';
import { type DriftState, findDrift } from '#core/drift-book.ts';
import { responseGuardOf } from '#core/guard-in-force.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { ServerVersion } from '#core/server.ts';
import type { Place } from '#ext-authz/locate.ts';

/**
 * One replica that serves a tool otherwise is enough: nobody knows yet which one the call would reach.
 * @param of.version the one the call is routed to.
 * @returns tool_drifted where the tenant wants such tools hidden; undefined where not, or where none of the call drifts.
 */
export const judgeDrift = (
  state: DriftState,
  of: {
    readonly place: Pick<Place, 'tenant' | 'server'>;
    readonly version: ServerVersion;
    readonly call: McpCall;
  },
): Deny | undefined => {
  const { tenant, server } = of.place;
  if (state.size === 0 || responseGuardOf(tenant, server).drift !== 'hide') return undefined;
  const { version } = of.version;
  const at = { tenantId: tenant.id, serverId: server.id, version };
  const drifting = of.call.targets
    .filter(({ kind }) => kind === 'tool')
    .flatMap(({ name: tool }) => findDrift(state, { ...at, tool }) ?? []);
  const [first] = drifting;
  return first === undefined
    ? undefined
    : deny('tool_drifted', { log: { version, tool: first.tool, since: first.since } });
};
