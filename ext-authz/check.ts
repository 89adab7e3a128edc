// The edge to Envoy: one Check in, one CheckResponse out, within the deadline. Whatever is thrown below ends here, as
// a refusal: Envoy would read an answer without a status as an Allow.

import { type Decision, type Deny, deny } from '#core/decision.ts';
import { GatewayError } from '#core/gateway-error.ts';
import { answerForm } from '#ext-authz/answer-form.ts';
import { type RecordParts, recordDecision } from '#ext-authz/audit/record-decision.ts';
import { ownAnswer } from '#ext-authz/own-answer.ts';
import { decide } from '#ext-authz/pipeline.ts';
import type { PipelineParts } from '#ext-authz/pipeline-parts.ts';
import { type HttpRequest, requestFromCheckRequest } from '#ext-authz/request/from-check-request.ts';
import { type CheckResponseMessage, checkResponseFromDecision } from '#ext-authz/response/check-response.ts';
import { startTrail, type Trail } from '#ext-authz/trail.ts';

export type CheckParts = PipelineParts &
  RecordParts & {
    /** Of the sign-in façade; undefined: there is none. */
    readonly facadeUrl?: string | undefined;
    /** Shorter than Envoy's own timeout for the Check, so that the refusal is ours and has a reason. */
    readonly deadlineMs: number;
    /** Monotonic clock for durations, milliseconds. */
    readonly monotonicMs: () => number;
  };

const within = async (
  deadlineMs: number,
  work: (signal: AbortSignal) => Promise<Decision>,
): Promise<Decision> => {
  const controller = new AbortController();
  const expired = Promise.withResolvers<Deny>();
  const timer = setTimeout(() => {
    controller.abort();
    expired.resolve(deny('deadline_exceeded', { log: { deadlineMs } }));
  }, deadlineMs);
  try {
    return await Promise.race([work(controller.signal), expired.promise]);
  } finally {
    clearTimeout(timer);
  }
};

const failed = (thrown: unknown): Deny => {
  const { code, message } = GatewayError.from(thrown);
  return deny('internal_error', { log: { code, error: message } });
};

const judge = async (parts: CheckParts, request: HttpRequest, trail: Trail): Promise<Decision> => {
  const { publicUrl, facadeUrl } = parts;
  const answer = ownAnswer(request, parts.world(), { publicUrl, facadeUrl, nowMs: parts.nowMs() });
  if (answer !== undefined) return answer;
  return within(parts.deadlineMs, (signal) => decide(parts, request, { trail, signal }));
};

/**
 * Answers one Check. Never throws and never answers without a status.
 * @param message one envoy.service.auth.v3.CheckRequest, encoded: read here, so that one that is malformed is refused in
 * our words and recorded like any other.
 */
export const check = async (parts: CheckParts, message: Buffer): Promise<CheckResponseMessage> => {
  const trail = startTrail(parts.monotonicMs);
  let request: HttpRequest | undefined;
  let decision: Decision;
  try {
    request = requestFromCheckRequest(message);
    decision = await judge(parts, request, trail);
  } catch (thrown) {
    decision = failed(thrown);
  }
  const requestId = request?.requestId ?? '';
  const recorded = await recordDecision(parts, decision, { requestId, trail });
  return checkResponseFromDecision(recorded, answerForm(request, trail.findings, parts.publicUrl));
};
