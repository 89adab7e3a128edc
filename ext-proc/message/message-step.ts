// The form of a step that a message takes on its way to the client. Steps are run in one order, each on what the one
// before has left; the first fault ends it.

import type { GuardOrders } from '#core/guard-orders.ts';
import type { MessageKind } from '#core/response-guard.ts';
import type { Result } from '#core/result.ts';
import type { AnswerFault } from '#ext-proc/answer-fault.ts';
import type { AnswerMessage } from '#ext-proc/message/answer-message.ts';
import type { AnswerRules } from '#ext-proc/rules/find-rules.ts';

export type MessageContext = {
  readonly orders: GuardOrders;
  readonly rules: AnswerRules;
  readonly kind: MessageKind;
  /** True in the body of an HTTP error: any JSON object is a message there, and none is a request of the server. */
  readonly isErrorBody: boolean;
  /** `address:port` of the replica that answered; undefined where Envoy answered by itself. */
  readonly replica: string | undefined;
  /** Takes response headers that a step finds values for; undefined where the head of the answer has left. */
  readonly headers?: Map<string, readonly string[]> | undefined;
};

export type StepOutcome = Result<AnswerMessage, AnswerFault>;

/** @returns the message as it goes on (the same object where nothing was changed), or why it must not. */
export type MessageStep = (
  message: AnswerMessage,
  context: MessageContext,
) => StepOutcome | Promise<StepOutcome>;
