// One message through all its steps.

import { ok } from '#core/result.ts';
import { readAnswerMessage } from '#ext-proc/message/answer-message.ts';
import { messageKindOf } from '#ext-proc/message/message-kind.ts';
import type { MessageContext, MessageStep, StepOutcome } from '#ext-proc/message/message-step.ts';

/** Judges the bytes of one message: a body, or the data of one server-sent event. */
export type MessageJudge = (
  bytes: Uint8Array,
  /** `strict` false for answers with an error status: any JSON object is a message then. */
  how: { readonly strict: boolean },
) => Promise<StepOutcome>;

/** The judge of the messages of one answer. */
export const createMessageJudge =
  (steps: readonly MessageStep[], known: Omit<MessageContext, 'kind'>): MessageJudge =>
  async (bytes, { strict }) => {
    const read = readAnswerMessage(bytes, { strict });
    if (!read.ok) return read;
    const context = { ...known, kind: messageKindOf(read.value, known.orders.method) };
    let message = read.value;
    for (const step of steps) {
      const outcome = await step(message, context);
      if (!outcome.ok) return outcome;
      message = outcome.value;
    }
    return ok(message);
  };
