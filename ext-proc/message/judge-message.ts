// One message through all its steps.

import type { GuardOrders } from '#core/guard-orders.ts';
import { ok, type Result } from '#core/result.ts';
import type { AnswerFault } from '#ext-proc/answer-fault.ts';
import { type AnswerMessage, readAnswerMessage } from '#ext-proc/message/answer-message.ts';
import { createListMemory } from '#ext-proc/message/list-memory.ts';
import { messageKindOf } from '#ext-proc/message/message-kind.ts';
import type { MessageContext, MessageStep, StepOutcome } from '#ext-proc/message/message-step.ts';

/** Judges the bytes of one message: a body, or the data of one server-sent event. */
export type MessageJudge = (
  bytes: Uint8Array,
  /** `strict` false for answers with an error status: any JSON object is a message then. */
  how: { readonly strict: boolean },
) => Promise<StepOutcome>;

// Of the process: what it holds is bounded, and each entry is of one server's version.
const lists = createListMemory();

const read = (
  bytes: Uint8Array,
  how: { readonly strict: boolean },
  orders: GuardOrders,
): Result<AnswerMessage, AnswerFault> => {
  // Only what answers a list method is looked up: a tool's result is seldom the same twice.
  if (orders.guard !== 'list' || !how.strict) return readAnswerMessage(bytes, how);
  const known = lists.recall(bytes, orders);
  if (known !== undefined) return ok(known);
  const message = readAnswerMessage(bytes, how);
  if (message.ok && messageKindOf(message.value, orders.method) === 'list')
    lists.keep(bytes, message.value, orders);
  return message;
};

/** The judge of the messages of one answer. */
export const createMessageJudge =
  (steps: readonly MessageStep[], known: Omit<MessageContext, 'kind' | 'isErrorBody'>): MessageJudge =>
  async (bytes, how) => {
    const first = read(bytes, how, known.orders);
    if (!first.ok) return first;
    const kind = messageKindOf(first.value, known.orders.method);
    const context = { ...known, kind, isErrorBody: !how.strict };
    let message = first.value;
    for (const step of steps) {
      const outcome = await step(message, context);
      if (!outcome.ok) return outcome;
      message = outcome.value;
    }
    return ok(message);
  };
