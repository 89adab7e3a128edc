// Settings of a tenant and of a server put together (response-guard.ts), and what of them concerns a call.

import { findTool } from '#core/find-tool.ts';
import {
  type FindingRule,
  MESSAGE_KINDS,
  type MessageKind,
  type Redaction,
  type ResponseGuard,
  type ResponseGuardInForce,
  type ServerResponseGuard,
} from '#core/response-guard.ts';
import type { McpServer, ServerVersion } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';

const CLOSED = {
  drift: 'hide',
  arguments: 'refuse',
  results: 'refuse',
  unreadable: 'refuse',
  requestState: 'seal',
} as const satisfies ResponseGuard;

const EMPTY: ServerResponseGuard = {};

type OfTenant = Pick<Tenant, 'responseGuard'>;
type OfServer = Pick<McpServer, 'responseGuard'>;

const inForce = (tenant: OfTenant, server: OfServer): ResponseGuardInForce => {
  const [wide, near] = [tenant.responseGuard ?? EMPTY, server.responseGuard ?? EMPTY];
  return {
    ...CLOSED,
    ...wide,
    ...near,
    findings: [...(near.findings ?? []), ...(wide.findings ?? [])],
    redactions: near.redactions ?? [],
    headers: near.headers ?? [],
    extractions: near.extractions ?? [],
  };
};

// Tenants and servers are immutable values, and equal settings are asked for with every call.
const known = new WeakMap<OfTenant, WeakMap<OfServer, ResponseGuardInForce>>();

/** What is in force for the answers of a server. The same object for the same tenant and server. */
export const responseGuardOf = (tenant: OfTenant, server: OfServer): ResponseGuardInForce => {
  const ofTenant = known.get(tenant) ?? new WeakMap<OfServer, ResponseGuardInForce>();
  known.set(tenant, ofTenant);
  const found = ofTenant.get(server) ?? inForce(tenant, server);
  ofTenant.set(server, found);
  return found;
};

/** True if a rule is for a tool; a rule that names none is for all, and for calls that reach for no tool. */
export const isForTool = (rule: { readonly tools?: readonly string[] }, tool: string | undefined): boolean =>
  rule.tools === undefined || (tool !== undefined && rule.tools.includes(tool));

const TOOL_RESULT: readonly MessageKind[] = ['tool-result'];

/** True if a rule is for messages of a kind. */
export const isForMessage = ({ messages = TOOL_RESULT }: FindingRule, kind: MessageKind): boolean =>
  messages.includes(kind);

/** The kind of message that the answer to a method ends in. */
const RESULT_KINDS: Readonly<Record<string, MessageKind>> = {
  'tools/call': 'tool-result',
  'prompts/get': 'prompt',
  'resources/read': 'resource',
};

/** @returns `other` for methods whose result is none that rules name. */
export const resultKindOf = (method: string | undefined): MessageKind =>
  method !== undefined && Object.hasOwn(RESULT_KINDS, method)
    ? (RESULT_KINDS[method] as MessageKind)
    : 'other';

/** Kinds of message that come beside the result of any call. */
const BESIDE: ReadonlySet<MessageKind> = new Set(
  MESSAGE_KINDS.filter((kind) => !['tool-result', 'prompt', 'resource', 'list', 'other'].includes(kind)),
);

const isFoundIn = (rule: FindingRule, result: MessageKind, tool: string | undefined): boolean =>
  isForTool(rule, tool) &&
  (isForMessage(rule, result) || (rule.messages ?? TOOL_RESULT).some((kind) => BESIDE.has(kind)));

// A prompt and a resource have no structured content that a pointer could lead into.
const isRedacted = (rule: Redaction, result: MessageKind): boolean =>
  result === 'tool-result' || (rule.pattern !== undefined && (result === 'prompt' || result === 'resource'));

/**
 * True if a rule may be about the result of some call to this version. Of a result of nobody knows which call that is all
 * that can be said.
 */
export const mayConcernResults = (guard: ResponseGuardInForce, version: ServerVersion): boolean =>
  guard.findings.length > 0 ||
  guard.redactions.length > 0 ||
  guard.extractions.length > 0 ||
  (guard.results !== 'off' && version.tools.some((tool) => tool.outputSchema !== undefined));

/**
 * True if anything is to be held against the answer to a call that is neither a list nor the opening of a session.
 * @param call.tool name of the tool it reaches for.
 */
export const isAnswerGuarded = (
  guard: ResponseGuardInForce,
  version: ServerVersion,
  call: { readonly method?: string | undefined; readonly tool?: string | undefined },
): boolean => {
  const { method, tool } = call;
  const result = resultKindOf(method);
  if (guard.findings.some((rule) => isFoundIn(rule, result, tool))) return true;
  if (guard.headers.some((change) => isForTool(change, tool))) return true;
  if (guard.redactions.some((rule) => isForTool(rule, tool) && isRedacted(rule, result))) return true;
  if (result !== 'tool-result' || tool === undefined) return false;
  const checked = guard.results !== 'off' && findTool(version, tool)?.outputSchema !== undefined;
  return checked || guard.extractions.some((rule) => isForTool(rule, tool));
};
