// The steps that hold the result of a tool call against its output schema: as the server sent it, and once more where a
// step between has changed it, because clients refuse a result that does not fit.

import type { GuardOrders } from '#core/guard-orders.ts';
import { err, ok } from '#core/result.ts';
import { unfit } from '#ext-proc/answer-fault.ts';
import { type AnswerMessage, resultOf } from '#ext-proc/message/answer-message.ts';
import type { MessageContext, MessageStep } from '#ext-proc/message/message-step.ts';
import { judgeResult, type ResultJudgement } from '#ext-proc/validation/judge-result.ts';
import type { UnfitReport } from '#ext-proc/validation/unfit-report.ts';

/** By what was called and not by what the result calls itself: it would call itself something that is not judged. */
const judge = (message: AnswerMessage, { orders, rules }: MessageContext): ResultJudgement | undefined => {
  // Before it is asked what the message says: a cut list would be parsed for it.
  if (orders.method !== 'tools/call') return undefined;
  const result = resultOf(message);
  if (result === undefined) return undefined;
  return judgeResult(result, { tool: rules.tool, era: orders.era, textLength: message.text.length });
};

/** @param isValid false also where the answer passes all the same. */
export type JudgedAnswer = (orders: GuardOrders, isValid: boolean) => void;

export type OutputSteps = {
  /** For what the server sent. */
  readonly asSent: MessageStep;
  /** For what is left of it, behind the steps that change messages. */
  readonly asLeft: MessageStep;
};

/**
 * @param parts.judged hears of every answer that was held against a schema, and only of what the server sent.
 */
export const createOutputSteps = (parts: {
  readonly report: UnfitReport;
  readonly judged: JudgedAnswer;
}): OutputSteps => {
  const fitting = new WeakMap<GuardOrders, AnswerMessage>();
  const asSent: MessageStep = (message, context) => {
    const { orders, rules } = context;
    const mode = rules.guard.results;
    const found = mode === 'off' ? undefined : judge(message, context);
    if (mode === 'off' || found === undefined) return ok(message);
    if (found.bySchema) parts.judged(orders, found.unfit === undefined);
    if (found.unfit === undefined) {
      fitting.set(orders, message);
      return ok(message);
    }
    parts.report(found.unfit, mode, orders);
    return mode === 'refuse' ? err(unfit('schema')) : ok(message);
  };
  const asLeft: MessageStep = (message, context) => {
    const { orders, rules } = context;
    const sent = fitting.get(orders);
    const mode = rules.guard.results;
    if (mode === 'off' || sent === undefined || sent === message) return ok(message);
    const found = judge(message, context)?.unfit;
    if (found === undefined) return ok(message);
    parts.report({ ...found, edited: true }, mode, orders);
    return mode === 'refuse' ? err(unfit('schema')) : ok(message);
  };
  return { asSent, asLeft };
};
