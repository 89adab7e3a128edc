// The body of a refusal: a JSON-RPC error that carries the request's own id, because a client drops any other, and in
// `data` everything the caller may know: the reason by name, what to do, whom to ask. Nothing for the log is in it.

import type { Deny, RefusedId } from '#core/decision.ts';
import type { JsonObject } from '#core/json.ts';
import { describeReason, type Reason } from '#core/reason.ts';
import { type AskedFor, adviceFor, findMissing } from '#ext-authz/response/missing-access.ts';

export type ErrorContext = {
  readonly id: RefusedId;
  readonly requestId: string;
  /** Whom to ask for access: the tenant's contact. */
  readonly contact?: string | undefined;
  /** What a caller who is known asked for. */
  readonly asked?: AskedFor | undefined;
};

/**
 * What the client reads for another reason. A tool that does not exist must read exactly like one that is not granted,
 * or names could be probed for.
 */
const PUBLIC_REASONS: Partial<Record<Reason, Reason>> = {
  tool_unknown: 'tool_not_granted',
  method_unknown_in_session: 'method_unknown',
};

const defined = (members: Readonly<Record<string, JsonObject[string] | undefined>>): JsonObject =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as JsonObject;

/** Refusals of policy come after the caller is known; a stranger is not given anyone's address. */
const contactFor = ({ reason, publicFacts }: Deny, { contact }: ErrorContext): string | undefined => {
  const { remedy, delivery } = describeReason(reason);
  const mayAsk = remedy === 'ask-for-access' && delivery === 'refusal';
  return publicFacts.contact ?? (mayAsk ? contact : undefined);
};

const dataOf = (denial: Deny, context: ErrorContext): JsonObject => {
  const { publicFacts: facts } = denial;
  return defined({
    reason: PUBLIC_REASONS[denial.reason] ?? denial.reason,
    remedy: describeReason(denial.reason).remedy,
    requestId: context.requestId,
    contact: contactFor(denial, context),
    missing: findMissing(denial, context.asked),
    constraint: facts.constraint,
    approval: facts.approval,
    requiredScopes: facts.requiredScopes,
    field: facts.field,
    keyword: facts.keyword,
    // Names of MCP 2026-07-28 for −32022; clients choose another version from them.
    supported: facts.supportedVersions,
    requested: facts.requestedVersion,
    retryAfterSeconds: facts.retryAfterSeconds,
  });
};

/**
 * `{jsonrpc, id, error: {code, message, data}}`; `id` is null where none could be read (JSON-RPC 2.0 §5). Most agents
 * are shown the message and not the data, so it says what to ask for and whom.
 */
export const jsonRpcErrorFromDeny = (denial: Deny, context: ErrorContext): JsonObject => {
  const { jsonRpcCode, sentence } = describeReason(denial.reason);
  const missing = findMissing(denial, context.asked);
  const message = `${sentence}${adviceFor(denial, missing, contactFor(denial, context))}`;
  return {
    jsonrpc: '2.0',
    id: context.id,
    error: { code: jsonRpcCode, message, data: dataOf(denial, context) },
  };
};
