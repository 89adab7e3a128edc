// The step that looks for results where none belongs. On a stream that a client opens by itself a server sends requests and
// notifications; results come there only where a call's own stream is resumed (MCP 2025-11-25, listening for messages), and
// then the orders name the call. A result of nobody knows which call cannot be held against the rules of that call.

import { mayConcernResults } from '#core/guard-in-force.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import { err, ok } from '#core/result.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';
import { resultOf } from '#ext-proc/message/answer-message.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';

/** @param unread hears what has passed because the mode for unreadable answers says so. */
export const createStrayStep =
  (unread: (fault: AnswerFault, orders: GuardOrders) => void): MessageStep =>
  (message, { orders, rules, kind }) => {
    const { guard, version } = rules;
    const result = resultOf(message);
    // Lists are cut whatever call they are of.
    const isStray = orders.method === undefined && result !== undefined && kind !== 'list';
    if (!isStray || !mayConcernResults(guard, version)) return ok(message);
    const fault = refused('stray_result');
    if (guard.unreadable === 'refuse') return err(fault);
    unread(fault, orders);
    return ok(message);
  };
