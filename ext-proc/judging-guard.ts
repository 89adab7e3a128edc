// The guard that carries out a plan to judge: with the caps and the mode that are in force for the server's answers.

import { type GuardOrders, isConditional } from '#core/guard-orders.ts';
import type { JsonRpcId } from '#core/mcp-call.ts';
import type { UnreadableMode } from '#core/response-guard.ts';
import type { AnswerFault } from '#ext-proc/answer-fault.ts';
import type { BodyLimits, GuardReport, RefusingGuard } from '#ext-proc/body-guard.ts';
import { capAnswer } from '#ext-proc/capped-guard.ts';
import { createEventGuard } from '#ext-proc/event-guard.ts';
import type { MessageJudge } from '#ext-proc/message/judge-message.ts';
import type { Plan } from '#ext-proc/plan.ts';
import { refusalMessage } from '#ext-proc/refusal-message.ts';
import type { AnswerRules } from '#ext-proc/rules/find-rules.ts';
import { createWholeBodyGuard } from '#ext-proc/whole-body-guard.ts';

export type JudgingPlan = Extract<Plan, { kind: 'hold' | 'events' }>;

/** The JSON-RPC error in the place of what was refused. */
export const refusalFor =
  (orders: { readonly jsonRpcId?: JsonRpcId; readonly requestId: string }) =>
  ({ reason }: AnswerFault): string =>
    refusalMessage({ reason, id: orders.jsonRpcId, requestId: orders.requestId });

/**
 * What becomes of an answer that cannot be read. A list that nobody can read is shown to nobody, whatever is set, and
 * what a policy allows on a condition does not pass without it.
 */
export const unreadableMode = (orders: GuardOrders, rules: AnswerRules | undefined): UnreadableMode =>
  orders.guard === 'rules' && !isConditional(orders) ? (rules?.guard.unreadable ?? 'refuse') : 'refuse';

const limitsIn = (
  { maxBodyBytes, maxEventBytes }: BodyLimits,
  { guard }: AnswerRules,
  { maxResponseBytes = maxBodyBytes }: GuardOrders,
): BodyLimits => {
  const { maxAnswerBytes = maxBodyBytes } = guard;
  const cap = Math.min(maxAnswerBytes, maxResponseBytes);
  return { maxBodyBytes: Math.min(maxBodyBytes, cap), maxEventBytes: Math.min(maxEventBytes, cap) };
};

export const createJudgingGuard = (
  plan: JudgingPlan,
  parts: {
    readonly judge: MessageJudge;
    readonly orders: GuardOrders;
    readonly rules: AnswerRules;
    readonly limits: BodyLimits;
    readonly report: GuardReport;
  },
): RefusingGuard => {
  const { judge, orders, rules, report } = parts;
  const { maxBodyBytes, maxEventBytes } = limitsIn(parts.limits, rules, orders);
  const common = { judge, report, unreadable: unreadableMode(orders, rules) };
  const refusal = refusalFor(orders);
  if (plan.kind === 'hold')
    return createWholeBodyGuard({ ...common, body: plan.body, maxBodyBytes, refusal });
  // The legacy GET stream answers no request: no error message could be addressed there, and all that comes in it is
  // no one answer that a cap could be for.
  if (orders.jsonRpcId === undefined)
    return createEventGuard({ ...common, maxEventBytes, refusal: () => undefined });
  const guard = createEventGuard({ ...common, maxEventBytes, refusal });
  return orders.maxResponseBytes === undefined ? guard : capAnswer(guard, orders.maxResponseBytes);
};
