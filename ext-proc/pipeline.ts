// The response guard on one screen: orders, head, plan, and the guard that carries the plan out. Knows no gRPC and no
// protobuf (process.ts, wire/), and evaluates no policy: what may be seen was decided by ext-authz.

import type { GuardOrders } from '#core/guard-orders.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';
import type { AnswerHead } from '#ext-proc/answer-head.ts';
import type { BodyGuard, BodyLimits, GuardReport } from '#ext-proc/body-guard.ts';
import { createEventGuard } from '#ext-proc/event-guard.ts';
import { createForwardGuard } from '#ext-proc/forward-guard.ts';
import { createMessageJudge } from '#ext-proc/message/judge-message.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import { type Plan, planAnswer } from '#ext-proc/plan.ts';
import { refusalMessage } from '#ext-proc/refusal-message.ts';
import type { AnswerRules } from '#ext-proc/rules/find-rules.ts';
import { markEventIds } from '#ext-proc/session/event-ids.ts';
import { type Sealer, sealAnswer } from '#ext-proc/session/seal-answer.ts';
import { createWholeBodyGuard } from '#ext-proc/whole-body-guard.ts';

/** What happens to one answer from its head on. `session`: the sealed id of the session it opens. */
export type Course =
  /** Answered here, with a JSON-RPC error; nothing of the server's answer goes on. */
  | { readonly kind: 'refuse'; readonly status: number; readonly body: string }
  /** Goes on; Envoy asks no more. */
  | { readonly kind: 'pass'; readonly session?: string | undefined }
  /** Every chunk goes through the guard. `rewrites`: it may change the body, so headers that describe it must go. */
  | {
      readonly kind: 'guard';
      readonly guard: BodyGuard;
      readonly rewrites: boolean;
      readonly session?: string | undefined;
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

const refusalFor =
  (orders: GuardOrders) =>
  ({ reason }: AnswerFault): string =>
    refusalMessage({ reason, id: orders.jsonRpcId, requestId: orders.requestId });

type JudgingPlan = Extract<Plan, { kind: 'hold' | 'events' }>;

const buildGuard = (plan: JudgingPlan, rules: AnswerRules, parts: CourseParts): BodyGuard => {
  const { orders, limits, report, replica, steps } = parts;
  const judge = createMessageJudge(steps, { orders, rules, replica });
  if (plan.kind === 'hold') {
    const { maxBodyBytes } = limits;
    return createWholeBodyGuard({
      body: plan.body,
      judge,
      maxBodyBytes,
      report,
      refusal: refusalFor(orders),
    });
  }
  const { maxEventBytes } = limits;
  // The legacy GET stream answers no request, so no error message could be addressed there.
  const refusal = orders.jsonRpcId === undefined ? () => undefined : refusalFor(orders);
  return createEventGuard({ judge, maxEventBytes, report, refusal });
};

/** Sets the course of one answer from its head. */
export const setCourse = (head: AnswerHead, parts: CourseParts): Course => {
  const { orders, replica, report } = parts;
  const refuse = (fault: AnswerFault): Course => {
    report.refused(fault);
    return { kind: 'refuse', status: refusalStatus(head), body: refusalFor(orders)(fault) };
  };
  const plan = planAnswer(orders, head);
  if (plan.kind === 'refuse') return refuse(plan.fault);
  const sealed = sealAnswer({ head, replica }, orders, parts.sealer);
  if (!sealed.ok) return refuse(sealed.error);
  const session = sealed.value;
  if (session !== undefined) report.opened(session);
  if (plan.kind === 'pass') return { kind: 'pass', session };
  if (plan.kind !== 'watch' && parts.rules === undefined) return refuse(refused('rules_unknown'));
  const guard =
    plan.kind === 'watch' || parts.rules === undefined
      ? createForwardGuard()
      : buildGuard(plan, parts.rules, parts);
  // Streams of the older era only can be resumed.
  if (orders.era === 'stateless' || head.media !== 'sse')
    return { kind: 'guard', guard, rewrites: plan.kind !== 'watch', session };
  const marked = markEventIds(guard, { orders, sealer: parts.sealer, opened: session });
  return { kind: 'guard', guard: marked, rewrites: true, session };
};
