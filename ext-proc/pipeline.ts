// The response guard on one screen: orders, head, plan, and the guard that carries the plan out. Knows no gRPC and no
// protobuf (process.ts, wire/), and evaluates no policy: what may be seen was decided by ext-authz.

import { isForTool } from '#core/guard-in-force.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import { type AnswerFault, isUnreadable, refused } from '#ext-proc/answer-fault.ts';
import type { AnswerHead } from '#ext-proc/answer-head.ts';
import type { BodyGuard, BodyLimits, GuardReport, RefusingGuard } from '#ext-proc/body-guard.ts';
import { createBodyDecoder } from '#ext-proc/encoding/body-decoder.ts';
import { guardDecoded } from '#ext-proc/encoding/decoded-guard.ts';
import { createForwardGuard } from '#ext-proc/forward-guard.ts';
import { makeInterruptible } from '#ext-proc/interruptible-guard.ts';
import { createJudgingGuard, type JudgingPlan, refusalFor, unreadableMode } from '#ext-proc/judging-guard.ts';
import { createMessageJudge } from '#ext-proc/message/judge-message.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import { type Plan, planAnswer } from '#ext-proc/plan.ts';
import { refusalMessage } from '#ext-proc/refusal-message.ts';
import type { AnswerRules } from '#ext-proc/rules/find-rules.ts';
import { markEventIds } from '#ext-proc/session/event-ids.ts';
import { type Sealer, sealAnswer } from '#ext-proc/session/seal-answer.ts';
import type { HeaderMutation } from '#ext-proc/transforms/change-headers.ts';

/** What happens to one answer from its head on. `session`: the sealed id of the session it opens. */
export type Course =
  /** Answered here, with a JSON-RPC error; nothing of the server's answer goes on. */
  | { readonly kind: 'refuse'; readonly status: number; readonly body: string }
  /** Goes on; Envoy asks no more. */
  | { readonly kind: 'pass'; readonly session?: string | undefined }
  /**
   * Every chunk goes through the guard. `rewrites`: it may change the body, so headers that describe it must go.
   * `decodes`: the body goes on uncompressed.
   */
  | {
      readonly kind: 'guard';
      readonly guard: BodyGuard;
      readonly rewrites: boolean;
      readonly decodes: boolean;
      readonly session?: string | undefined;
      /** The head waits for the whole body, and these headers are set in it: they are there once the guard has answered. */
      readonly headers?: HeaderMutation | undefined;
    };

export type CourseParts = {
  readonly orders: GuardOrders;
  /** `address:port` of the replica that answered. */
  readonly replica: string | undefined;
  readonly sealer: Sealer;
  readonly limits: BodyLimits;
  readonly report: GuardReport;
  /** Undefined where the orders want none, or there are none to be had. */
  readonly rules: AnswerRules | undefined;
  readonly steps: readonly MessageStep[];
};

/** Status of a refusal. An error the server itself reported keeps its own: clients act on 401 and 404 (MCP, sessions). */
const refusalStatus = (head: AnswerHead): number => (head.status >= 400 ? head.status : 502);

/** What passes unread is watched: it may stay open. */
const settlePlan = (
  head: AnswerHead,
  { orders, rules, report }: CourseParts,
): Exclude<Plan, { kind: 'refuse' }> | AnswerFault => {
  const plan = planAnswer(orders, head);
  if (plan.kind !== 'refuse') {
    const needsRules = plan.kind === 'hold' || plan.kind === 'events';
    return needsRules && rules === undefined ? refused('rules_unknown') : plan;
  }
  if (!isUnreadable(plan.fault) || unreadableMode(orders, rules) === 'refuse') return plan.fault;
  report.unread(plan.fault);
  return { kind: 'watch' };
};

/** A value out of the body can be told in a header only of a body that is held whole: of a message, not of a stream. */
const tellsInHead = (plan: Plan, { orders, rules }: CourseParts): boolean =>
  plan.kind === 'hold' &&
  plan.body === 'message' &&
  rules?.guard.extractions.some((rule) => rule.header !== undefined && isForTool(rule, orders.tool)) === true;

const guardFor = (
  plan: JudgingPlan | { readonly kind: 'watch' },
  parts: CourseParts,
  headers: Map<string, readonly string[]> | undefined,
): RefusingGuard => {
  const { orders, rules, limits, report, replica, steps } = parts;
  if (plan.kind === 'watch' || rules === undefined) return createForwardGuard(report);
  const judge = createMessageJudge(steps, { orders, rules, replica, headers });
  return createJudgingGuard(plan, { judge, orders, rules, limits, report });
};

/** A stream that answers no request has nobody to tell. */
const endable = (guard: BodyGuard, { jsonRpcId: id, requestId }: GuardOrders): BodyGuard =>
  id === undefined
    ? guard
    : makeInterruptible(guard, (cause) =>
        refusalMessage({ reason: 'stream_terminated', id, requestId, cause }),
      );

/** The course of an answer that goes through a guard: uncompressed where the guard reads it, with its event ids marked. */
const guarded = (
  head: AnswerHead,
  plan: JudgingPlan | { readonly kind: 'watch' },
  { parts, session }: { readonly parts: CourseParts; readonly session: string | undefined },
): Course => {
  const { orders, limits, sealer } = parts;
  const { coding } = head;
  // Streams of the older era only can be resumed.
  const marks = orders.era === 'legacy' && head.media === 'sse' && coding !== 'unknown';
  const rewrites = marks || plan.kind !== 'watch';
  const headers = tellsInHead(plan, parts) ? new Map<string, readonly string[]>() : undefined;
  const plain = guardFor(plan, parts, headers);
  const decoder =
    rewrites && coding !== 'identity' && coding !== 'unknown'
      ? createBodyDecoder(coding, { maxBytesAtOnce: limits.maxBodyBytes })
      : undefined;
  const guard = decoder === undefined ? plain : guardDecoded(plain, decoder);
  const marked = marks ? markEventIds(guard, { orders, sealer, opened: session }) : guard;
  const isReadable = coding === 'identity' || decoder !== undefined;
  return {
    kind: 'guard',
    guard: head.media === 'sse' && isReadable ? endable(marked, orders) : marked,
    rewrites,
    decodes: decoder !== undefined,
    session,
    headers,
  };
};

/** Sets the course of one answer from its head. */
export const setCourse = (head: AnswerHead, parts: CourseParts): Course => {
  const { orders, replica, report } = parts;
  const refuse = (fault: AnswerFault): Course => {
    report.refused(fault);
    return { kind: 'refuse', status: refusalStatus(head), body: refusalFor(orders)(fault) };
  };
  const plan = settlePlan(head, parts);
  if ('fault' in plan) return refuse(plan);
  const sealed = sealAnswer({ head, replica }, orders, parts.sealer);
  if (!sealed.ok) return refuse(sealed.error);
  const session = sealed.value;
  if (session !== undefined) report.opened(session);
  return plan.kind === 'pass' ? { kind: 'pass', session } : guarded(head, plan, { parts, session });
};
