// What ext-authz orders the response guard to do, as it travels through Envoy's dynamic metadata
// (namespace envoy.filters.http.ext_authz). ext-proc obeys; it never evaluates policy itself.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { JsonRpcId, McpListKind, ProtocolEra } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';

/**
 * `list`: the answer is a list to be cut. `stream`: nothing to judge, but a live SSE stream must stay endable.
 * `off`: same, and a plain JSON answer skips ext-proc altogether. Envoy's matcher reads `off` and `denied` only,
 * so an unknown or missing value means a hop to ext-proc, which fails closed.
 */
export type GuardMode = 'off' | 'list';

/** Names a list may show; `all` where the grant says `*` and nothing is pinned to compare with. */
export type VisibleNames =
  | { readonly all: true }
  | { readonly all: false; readonly names: readonly string[] };

export type GuardOrders = {
  readonly guard: GuardMode;
  readonly tenantId: string;
  readonly serverId: string;
  readonly version: string;
  readonly principal: string;
  readonly era: ProtocolEra;
  readonly requestId: string;
  /** Sequence of the snapshot the call was judged by. */
  readonly sequence: number;
  readonly method?: string;
  readonly tool?: string;
  readonly jsonRpcId?: JsonRpcId;
  /** Present exactly when `guard` is `list`. */
  readonly list?: { readonly kind: McpListKind; readonly visible: VisibleNames };
};

/** What ext-authz writes beside a denial, so that Envoy does not send its own refusal through ext-proc. */
export const DENIED_ORDERS: JsonObject = { guard: 'denied' };

const listToJson = (list: NonNullable<GuardOrders['list']>): JsonObject => ({
  kind: list.kind,
  all: list.visible.all,
  names: list.visible.all ? [] : list.visible.names,
});

/** The orders as a plain JSON object (a protobuf Struct on the wire). */
export const guardOrdersToJson = (orders: GuardOrders): JsonObject => {
  const { list, ...rest } = orders;
  const fields = Object.entries(rest).filter(([, value]) => value !== undefined);
  return {
    ...(Object.fromEntries(fields) as JsonObject),
    ...(list === undefined ? {} : { list: listToJson(list) }),
  };
};

const LIST_KINDS: readonly unknown[] = ['tools', 'prompts', 'resources', 'resourceTemplates'];

const parseList = (value: Json | undefined): Result<NonNullable<GuardOrders['list']>, string> => {
  if (!isJsonObject(value) || !LIST_KINDS.includes(value['kind'])) return err('list');
  const kind = value['kind'] as McpListKind;
  if (value['all'] === true) return ok({ kind, visible: { all: true } });
  const names = value['names'];
  if (value['all'] !== false || !Array.isArray(names)) return err('list.names');
  if (!names.every((name) => typeof name === 'string')) return err('list.names');
  return ok({ kind, visible: { all: false, names } });
};

const REQUIRED_STRINGS = ['tenantId', 'serverId', 'version', 'principal', 'requestId'] as const;

const findFault = (value: JsonObject): string | undefined => {
  if (value['guard'] !== 'off' && value['guard'] !== 'list') return 'guard';
  if (value['era'] !== 'legacy' && value['era'] !== 'stateless') return 'era';
  if (typeof value['sequence'] !== 'number') return 'sequence';
  return REQUIRED_STRINGS.find((field) => typeof value[field] !== 'string');
};

/** Orders read back from metadata; the error names the field that is missing or of the wrong type. */
export const parseGuardOrders = (value: unknown): Result<GuardOrders, string> => {
  if (!isJsonObject(value)) return err('orders');
  const fault = findFault(value);
  if (fault !== undefined) return err(fault);
  const { list: rawList, ...rest } = value;
  const base = rest as unknown as Omit<GuardOrders, 'list'>;
  if (base.guard === 'off') return ok(base);
  const list = parseList(rawList);
  return list.ok ? ok({ ...base, list: list.value }) : list;
};
