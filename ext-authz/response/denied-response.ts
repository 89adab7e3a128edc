// What a refused client gets: status, challenge, and a JSON-RPC error it can read. Where a refusal travels is decided
// by its reason's row in core/reason.ts.

import type { Deny } from '#core/decision.ts';
import { ENDPOINT_METHODS } from '#core/endpoint-path.ts';
import { describeReason } from '#core/reason.ts';
import { type ChallengeContext, challengeFromDeny } from '#ext-authz/response/challenge.ts';
import { type DeniedResponse, headerOptions } from '#ext-authz/response/check-response-message.ts';
import type { CorsHeaders } from '#ext-authz/response/cors.ts';
import { inputRequiredFromDeny } from '#ext-authz/response/input-required.ts';
import { type ErrorContext, jsonRpcErrorFromDeny } from '#ext-authz/response/json-rpc-error.ts';

export type RefusalContext = ErrorContext &
  ChallengeContext & {
    /** Status of policy refusals on this server. */
    readonly refusalStatus: 200 | 403;
    readonly cors?: CorsHeaders | undefined;
    /** The client can show somebody a link, and was not asked to yet. */
    readonly canShowLink?: boolean;
  };

const statusOf = (denial: Deny, challenge: string | undefined, refusalStatus: 200 | 403): number => {
  const { delivery, httpStatus } = describeReason(denial.reason);
  if (delivery === 'refusal') return refusalStatus;
  // A step-up the client cannot answer: a 401 without a challenge would send it in circles.
  return delivery === 'challenge' && challenge === undefined ? 403 : httpStatus;
};

const retryAfter = ({ publicFacts: { retryAfterSeconds } }: Deny): Record<string, string> =>
  retryAfterSeconds === undefined || !(retryAfterSeconds >= 0)
    ? {}
    : { 'retry-after': String(Math.ceil(retryAfterSeconds)) };

/** The answer to a refused request. Never throws: whatever the denial holds, the request stays refused. */
export const deniedResponseFromDeny = (denial: Deny, context: RefusalContext): DeniedResponse => {
  const challenge = challengeFromDeny(denial, context);
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(challenge === undefined ? {} : { 'www-authenticate': challenge }),
    ...(denial.reason === 'http_method_not_allowed' ? { allow: ENDPOINT_METHODS } : {}),
    ...retryAfter(denial),
    ...context.cors,
  };
  const asked = inputRequiredFromDeny(denial, context);
  return {
    status: { code: asked === undefined ? statusOf(denial, challenge, context.refusalStatus) : 200 },
    headers: headerOptions(headers),
    body: JSON.stringify(asked ?? jsonRpcErrorFromDeny(denial, context)),
  };
};
