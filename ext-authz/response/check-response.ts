// The only builder of Envoy's CheckResponse. Status code 0 is written in one line, behind core's `isAllow`; every other
// way out, known or not, is a refusal.

import { type Decision, type Deny, deny, isAllow } from '#core/decision.ts';
import { DENIED_ORDERS, guardOrdersToJson } from '#core/guard-orders.ts';
import { describeReason, REASONS } from '#core/reason.ts';
import {
  type CheckResponseMessage,
  headerOptions,
  RPC_CODES,
  type RpcCode,
} from '#ext-authz/response/check-response-message.ts';
import { deniedResponseFromDeny, type RefusalContext } from '#ext-authz/response/denied-response.ts';
import { okResponseFromAllow } from '#ext-authz/response/ok-response.ts';

/** What the answer needs beside the decision; `resourceMetadataUrl`, `scopes`, `contact` as far as they are known. */
export type ResponseContext = RefusalContext;

export type { CheckResponseMessage };

const codeOf = (status: number): Exclude<RpcCode, 0> => {
  if (status === 401) return RPC_CODES.unauthenticated;
  return status >= 500 ? RPC_CODES.internal : RPC_CODES.permissionDenied;
};

const refuse = (denial: Deny, context: ResponseContext): CheckResponseMessage => ({
  status: { code: codeOf(describeReason(denial.reason).httpStatus) },
  denied_response: deniedResponseFromDeny(denial, context),
  // Without these, Envoy would send the gateway's own answer through the response guard.
  dynamic_metadata: DENIED_ORDERS,
});

/**
 * The gateway's answer to a check.
 * @returns a message whose `status.code` is 0 exactly when `isAllow(decision)` and its token and version can stand in
 * a header. Anything that is neither Allow, Deny nor Answer is refused as internal_error.
 */
export const checkResponseFromDecision = (
  decision: Decision,
  context: ResponseContext,
): CheckResponseMessage => {
  if (isAllow(decision)) {
    const built = okResponseFromAllow(decision, context.cors);
    if (!built.ok) return refuse(deny('internal_error', { log: { unfit: built.error } }), context);
    const dynamic_metadata = guardOrdersToJson(decision.orders);
    return { status: { code: RPC_CODES.ok }, ok_response: built.value, dynamic_metadata };
  }
  if (decision.kind === 'deny' && Object.hasOwn(REASONS, decision.reason)) return refuse(decision, context);
  if (decision.kind !== 'answer') return refuse(deny('internal_error'), context);
  return {
    status: { code: RPC_CODES.permissionDenied },
    denied_response: {
      status: { code: decision.status },
      headers: headerOptions(decision.headers),
      body: decision.body,
    },
    dynamic_metadata: DENIED_ORDERS,
  };
};
