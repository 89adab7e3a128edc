// What the response guard is told about an allowed call. Pure.

import { GatewayError } from '#core/gateway-error.ts';
import type { GuardOrders, VisibleNames } from '#core/guard-orders.ts';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { Place } from '#ext-authz/locate.ts';

const toolOf = (call: McpCall): string | undefined =>
  call.targets.find((target) => target.kind === 'tool')?.name;

// A list without names to cut it by would go out whole: that is a fault of ours, never an `off`.
const listOrder = (call: McpCall, visible: VisibleNames | undefined): GuardOrders['list'] => {
  if (call.list === undefined) return undefined;
  if (visible === undefined)
    throw new GatewayError('internal', 'a list call was judged without visible names');
  return { kind: call.list, visible };
};

/** `visible` comes from the policy for list methods and is absent for all others. */
export const guardOrders = (known: {
  readonly place: Place;
  readonly call: McpCall;
  readonly identity: Identity;
  readonly version: string;
  readonly requestId: string;
  readonly visible?: VisibleNames | undefined;
}): GuardOrders => {
  const { place, call, identity, visible } = known;
  const tool = toolOf(call);
  const list = listOrder(call, visible);
  return {
    guard: list === undefined ? 'off' : 'list',
    tenantId: place.tenant.id,
    serverId: place.server.id,
    version: known.version,
    principal: identity.principal,
    era: call.era,
    requestId: known.requestId,
    sequence: place.sequence,
    ...(call.method === undefined ? {} : { method: call.method }),
    ...(tool === undefined ? {} : { tool }),
    ...(call.id === undefined ? {} : { jsonRpcId: call.id }),
    ...(list === undefined ? {} : { list }),
  };
};
