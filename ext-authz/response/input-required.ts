// A call that waits for a person, told to a client that can show somebody a link: no error, but a result that asks for
// input (MCP 2026-07-28, multi round-trip requests). Without `requestState`: the client would send it on to a server
// that has never heard of it.

import type { Deny } from '#core/decision.ts';
import type { JsonObject } from '#core/json.ts';
import { describeReason } from '#core/reason.ts';
import { APPROVAL_INPUT } from '#ext-authz/approval/approval-params.ts';
import type { ErrorContext } from '#ext-authz/response/json-rpc-error.ts';

/** The body, or undefined for every other refusal and every client that cannot be asked. */
export const inputRequiredFromDeny = (
  { reason, publicFacts: { approval } }: Deny,
  context: ErrorContext & { readonly canShowLink?: boolean },
): JsonObject | undefined => {
  if (reason !== 'approval_pending' || context.canShowLink !== true) return undefined;
  if (approval?.url === undefined || context.id === null) return undefined;
  const message = `${describeReason(reason).sentence} Whoever may do so finds it at this address; then try again.`;
  const params = { mode: 'url', message, url: approval.url };
  return {
    jsonrpc: '2.0',
    id: context.id,
    result: {
      resultType: 'input_required',
      inputRequests: { [APPROVAL_INPUT]: { method: 'elicitation/create', params } },
    },
  };
};
