// What the response guard is told about an allowed call. Pure.

import { accessBasis } from '#core/access-basis.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { isAnswerGuarded, responseGuardOf } from '#core/guard-in-force.ts';
import type { GuardMode, GuardOrders, ListOrder } from '#core/guard-orders.ts';
import type { Identity } from '#core/identity.ts';
import { callerFacts } from '#core/kill-switch.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { Obligations } from '#core/policy/obligations.ts';
import { credentialFacts } from '#core/revocation.ts';
import type { EventCall } from '#core/sealed-event-id.ts';
import type { ServerVersion } from '#core/server.ts';
import type { Place } from '#ext-authz/locate.ts';
import { sealedStateTarget } from '#ext-authz/session/request-state.ts';

type Known = {
  readonly place: Place;
  readonly call: McpCall;
  readonly identity: Identity;
  readonly version: ServerVersion;
  readonly requestId: string;
  /** Of the policy: what each list in the answer may show. Empty for calls whose answer holds none. */
  readonly lists: readonly ListOrder[];
  /** Reference of the session. */
  readonly session: string | undefined;
  /** The call goes on from a `requestState` that opens. */
  readonly opensState: boolean;
  /** The call whose answer a stream goes on with. */
  readonly resumed: EventCall | undefined;
  /** Of the policy. */
  readonly obligations: Obligations;
};

type Conditions = Pick<GuardOrders, 'redact' | 'maxResponseBytes'>;

/** What the policy orders of the answer; `redact` only where there can be structured content. A WebSocket is not open to it. */
const conditionsOf = ({ kind, method }: McpCall, { redact, maxResponseBytes }: Obligations): Conditions => {
  if (kind !== 'stream' && method === undefined) return {};
  const isResult = kind === 'stream' || method === 'tools/call';
  return {
    ...(redact === undefined || !isResult ? {} : { redact }),
    ...(maxResponseBytes === undefined ? {} : { maxResponseBytes }),
  };
};

const toolOf = (call: McpCall): string | undefined =>
  call.targets.find((target) => target.kind === 'tool')?.name;

const calledBy = (call: McpCall) => ({ method: call.method, tool: toolOf(call), jsonRpcId: call.id });

// A list without names to cut it by would go out whole: that is a fault of ours, never an `off`.
const checkLists = (call: McpCall, lists: readonly ListOrder[]): void => {
  const needsLists = call.list !== undefined || call.kind === 'stream';
  if (needsLists !== lists.length > 0) {
    throw new GatewayError('internal', 'a call was judged without the names its lists may show');
  }
};

/** The methods beside lists whose results say who may be served them from a cache (MCP 2026-07-28, caching). */
const isCached = ({ era, method }: McpCall): boolean => era === 'stateless' && method === 'resources/read';

const modeOf = (
  call: McpCall,
  { place, version, lists }: Pick<Known, 'place' | 'version' | 'lists'>,
  { stateTarget, conditions }: { readonly stateTarget: string | undefined; readonly conditions: Conditions },
): GuardMode => {
  if (call.kind === 'upgrade') return 'websocket';
  if (lists.length > 0) return 'list';
  if (call.method === 'initialize') return 'session';
  const { method } = call;
  const guard = responseGuardOf(place.tenant, place.server);
  const concerned =
    stateTarget !== undefined ||
    isCached(call) ||
    Object.keys(conditions).length > 0 ||
    isAnswerGuarded(guard, version, { method, tool: toolOf(call) });
  return concerned ? 'rules' : 'off';
};

/** The orders for one allowed call. */
export const guardOrders = (known: Known): GuardOrders => {
  const { place, call, identity, lists } = known;
  // A stream names no call of its own: where it goes on with the answer to one, it is judged as that.
  const { method, tool, jsonRpcId } = known.resumed ?? calledBy(call);
  const stateTarget = sealedStateTarget(place, call);
  const { principal, ...caller } = callerFacts(identity);
  const conditions = conditionsOf(call, known.obligations);
  checkLists(call, lists);
  return {
    guard: modeOf(call, known, { stateTarget, conditions }),
    tenantId: place.tenant.id,
    serverId: place.server.id,
    version: known.version.version,
    principal,
    caller,
    credential: credentialFacts(identity),
    era: call.era,
    requestId: known.requestId,
    sequence: place.sequence,
    revision: place.tenant.revision,
    ...(method === undefined ? {} : { method }),
    ...(tool === undefined ? {} : { tool }),
    ...(call.resumes === undefined ? {} : { resumes: call.resumes }),
    ...(call.kind === 'upgrade'
      ? { basis: accessBasis(place.tenant, place.server, known.version.version) }
      : {}),
    ...(known.session === undefined ? {} : { session: known.session }),
    ...(jsonRpcId === undefined ? {} : { jsonRpcId }),
    ...(stateTarget === undefined ? {} : { stateTarget }),
    ...(known.opensState ? { opensState: true } : {}),
    ...conditions,
    lists,
  };
};
