// The JSON-RPC error a client gets in place of an answer that could not be passed (JSON-RPC 2.0 §5.1).

import type { JsonRpcId } from '#core/mcp-call.ts';
import { describeReason, type Reason } from '#core/reason.ts';
import type { TerminationCause } from '#ext-proc/live-streams.ts';

/**
 * The error as JSON text.
 * @param refusal.cause of a stream that was ended: whether to come again at once, later, or with another token.
 * @param refusal.id of the request that is answered; absent where none is known, which JSON-RPC writes as null.
 */
export const refusalMessage = (refusal: {
  readonly reason: Reason;
  readonly id: JsonRpcId | undefined;
  readonly requestId: string | undefined;
  readonly cause?: TerminationCause | undefined;
}): string => {
  const { jsonRpcCode, sentence } = describeReason(refusal.reason);
  const data = {
    reason: refusal.reason,
    ...(refusal.cause === undefined ? {} : { cause: refusal.cause }),
    ...(refusal.requestId === undefined ? {} : { requestId: refusal.requestId }),
  };
  const error = { code: jsonRpcCode, message: sentence, data };
  return JSON.stringify({ jsonrpc: '2.0', id: refusal.id ?? null, error });
};
