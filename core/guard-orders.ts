// What ext-authz orders the response guard to do, as it travels through Envoy's dynamic metadata
// (namespace envoy.filters.http.ext_authz). ext-proc obeys; it never evaluates policy itself.

import { isJsonObject, type Json, type JsonObject } from '#core/json.ts';
import type { CallerFacts } from '#core/kill-switch.ts';
import type { JsonRpcId, McpListKind, ProtocolEra } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { CredentialFacts } from '#core/revocation.ts';

/**
 * `list`: the answer can hold lists to be cut. `rules`: rules of the registry concern the answer. `session`: the answer can open a session, whose id is to be sealed. `websocket`:
 * a connection that was let in whole, to be watched so that it can be ended. `off`: nothing to judge; a plain JSON answer skips ext-proc, a stream does not, so that it can be ended. Envoy's matcher knows
 * `off` and `denied` only: any other value is a hop to ext-proc, which fails closed.
 */
export type GuardMode = 'off' | 'list' | 'rules' | 'session' | 'websocket';

/** Names a list may show; `all` where the grant says `*` and nothing is pinned to compare with. */
export type VisibleNames =
  | { readonly all: true }
  | { readonly all: false; readonly names: readonly string[] };

/** What one kind of list may show. */
export type ListOrder = { readonly kind: McpListKind; readonly visible: VisibleNames };

export type GuardOrders = {
  readonly guard: GuardMode;
  readonly tenantId: string;
  readonly serverId: string;
  readonly version: string;
  readonly principal: string;
  /** What else kill switches know the caller by. Absent in orders of an ext-authz older than that. */
  readonly caller?: Omit<CallerFacts, 'principal'>;
  /** What a revocation knows the caller by. Absent in orders of an ext-authz older than that. */
  readonly credential?: CredentialFacts;
  readonly era: ProtocolEra;
  readonly requestId: string;
  /** Sequence of the snapshot the call was judged by. */
  readonly sequence: number;
  /** Revision of the tenant it was judged by. Absent in orders of an ext-authz older than rules for answers. */
  readonly revision?: number;
  readonly method?: string;
  readonly tool?: string;
  readonly resumes?: true;
  /** With `websocket`, and only there: what it was let in by (core/access-basis.ts). */
  readonly basis?: string;
  /** Reference of the session the call is in; ids of events are marked with it. */
  readonly session?: string;
  readonly jsonRpcId?: JsonRpcId;
  /** A `requestState` in the answer is sealed to this: the name or URI that the call reaches for. */
  readonly stateTarget?: string;
  /** The request brings a sealed `requestState` that opens. Envoy's matcher knows this member. */
  readonly opensState?: true;
  /** JSON Pointers (core/json-pointer.ts) into `structuredContent`, which the policy wants redacted; not empty. */
  readonly redact?: readonly string[];
  /** Longest answer that the policy lets pass, bytes. */
  readonly maxResponseBytes?: number;
  /**
   * Not empty exactly when `guard` is `list`. A list method names its own kind; the legacy GET stream names all of
   * them, because a resumed stream (`Last-Event-ID`) can repeat the answer to an earlier list call.
   */
  readonly lists: readonly ListOrder[];
};

/** True where the policy lets the call through on a condition that the response guard sees to. */
export const isConditional = ({ redact, maxResponseBytes }: GuardOrders): boolean =>
  redact !== undefined || maxResponseBytes !== undefined;

/** What ext-authz writes beside a denial, so that Envoy does not send its own refusal through ext-proc. */
export const DENIED_ORDERS: JsonObject = { guard: 'denied' };

const listToJson = ({ kind, visible }: ListOrder): JsonObject => ({
  kind,
  all: visible.all,
  names: visible.all ? [] : visible.names,
});

/** The orders as a plain JSON object (a protobuf Struct on the wire). */
export const guardOrdersToJson = (orders: GuardOrders): JsonObject => {
  const { lists, ...rest } = orders;
  const fields = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(fields) as JsonObject), lists: lists.map(listToJson) };
};

const LIST_KINDS: readonly unknown[] = ['tools', 'prompts', 'resources', 'resourceTemplates'];

const parseList = (value: Json): ListOrder | undefined => {
  if (!isJsonObject(value) || !LIST_KINDS.includes(value['kind'])) return undefined;
  const kind = value['kind'] as McpListKind;
  const names: unknown = value['names'];
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) return undefined;
  if (value['all'] === true) return { kind, visible: { all: true } };
  return value['all'] === false ? { kind, visible: { all: false, names } } : undefined;
};

const parseLists = (value: Json | undefined): readonly ListOrder[] | undefined => {
  if (!Array.isArray(value)) return undefined;
  const lists = (value as readonly Json[]).map(parseList);
  return lists.every((list) => list !== undefined) ? lists : undefined;
};

const GUARD_MODES: readonly unknown[] = [
  'off',
  'list',
  'rules',
  'session',
  'websocket',
] satisfies GuardMode[];

const REQUIRED_STRINGS = ['tenantId', 'serverId', 'version', 'principal', 'requestId'] as const;

const isStrings = (value: Json | undefined): boolean =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const isCaller = (value: Json): boolean =>
  isJsonObject(value) &&
  typeof value['issuerId'] === 'string' &&
  isStrings(value['ids']) &&
  isStrings(value['applications']);

const CREDENTIAL_TEXTS = ['issuerId', 'subject', 'actor', 'tid', 'oid', 'tokenId'] as const;

const isCredential = (value: Json): boolean =>
  isJsonObject(value) &&
  typeof value['issuedAt'] === 'number' &&
  CREDENTIAL_TEXTS.every(
    (name, at) => typeof value[name] === 'string' || (at > 1 && value[name] === undefined),
  );

const isText = (value: Json): boolean => typeof value === 'string';

const isTrue = (value: Json): boolean => value === true;

const isFilled = (value: Json): boolean => isStrings(value) && (value as readonly string[]).length > 0;

const isByteCount = (value: Json): boolean => Number.isSafeInteger(value) && (value as number) > 0;

/** Members that may be absent, and what they are where they are not. */
const OPTIONAL: Readonly<Record<string, (value: Json) => boolean>> = {
  caller: isCaller,
  credential: isCredential,
  resumes: isTrue,
  revision: (value) => typeof value === 'number',
  session: isText,
  stateTarget: isText,
  opensState: isTrue,
  redact: isFilled,
  maxResponseBytes: isByteCount,
};

const findOptionalFault = (value: JsonObject): string | undefined =>
  Object.keys(OPTIONAL).find((name) => {
    const member = value[name];
    return member !== undefined && OPTIONAL[name]?.(member) !== true;
  });

const findFault = (value: JsonObject): string | undefined => {
  if (!GUARD_MODES.includes(value['guard'])) return 'guard';
  if (value['era'] !== 'legacy' && value['era'] !== 'stateless') return 'era';
  if (typeof value['sequence'] !== 'number') return 'sequence';
  const needsBasis = value['guard'] === 'websocket';
  if (needsBasis !== (typeof value['basis'] === 'string')) return 'basis';
  return findOptionalFault(value) ?? REQUIRED_STRINGS.find((field) => typeof value[field] !== 'string');
};

/** Orders read back from metadata; the error names the field that is missing or of the wrong type. */
export const parseGuardOrders = (value: unknown): Result<GuardOrders, string> => {
  if (!isJsonObject(value)) return err('orders');
  const fault = findFault(value);
  if (fault !== undefined) return err(fault);
  const lists = parseLists(value['lists']);
  if (lists === undefined || lists.length > 0 !== (value['guard'] === 'list')) return err('lists');
  return ok({ ...(value as unknown as GuardOrders), lists });
};
