// The step that holds an answer against the id of the request it answers (JSON-RPC 2.0 §5). A server that answers
// under another id, or twice, speaks to another call of the same client, past whatever guards that one.

import type { GuardOrders } from '#core/guard-orders.ts';
import type { CheckMode, ResponseGuardInForce } from '#core/response-guard.ts';
import { err, ok } from '#core/result.ts';
import { unfit } from '#ext-proc/answer-fault.ts';
import type { AnswerMessage } from '#ext-proc/message/answer-message.ts';
import type { MessageStep } from '#ext-proc/message/message-step.ts';
import type { UnfitReport } from '#ext-proc/validation/unfit-report.ts';

const has = ({ value }: AnswerMessage, key: string): boolean => Object.hasOwn(value, key);

const isResponse = (message: AnswerMessage): boolean =>
  !has(message, 'method') && (has(message, 'result') || has(message, 'error'));

/** An error may have no id, where the server could not read the request's. */
const isOfNoRequest = (message: AnswerMessage): boolean =>
  !has(message, 'result') && (message.value['id'] ?? null) === null;

/** Who looks into answers at all has to know which call they are of; only who looks for nothing may leave that open. */
const modeOf = ({ results, findings, redactions }: ResponseGuardInForce): CheckMode =>
  results === 'off' && findings.length + redactions.length > 0 ? 'refuse' : results;

/** Requests and notifications of the server have ids of their own; the answer to none, as on a GET, cannot be told. */
export const createIdStep = (report: UnfitReport): MessageStep => {
  const answered = new WeakSet<GuardOrders>();
  return (message, { orders, rules }) => {
    const mode = modeOf(rules.guard);
    if (mode === 'off' || orders.jsonRpcId === undefined || !isResponse(message)) return ok(message);
    if (isOfNoRequest(message)) return ok(message);
    const isFirst = !answered.has(orders);
    answered.add(orders);
    if (isFirst && message.value['id'] === orders.jsonRpcId) return ok(message);
    report({ what: 'message_id', verdict: 'invalid' }, mode, orders);
    return mode === 'refuse' ? err(unfit('message_id')) : ok(message);
  };
};
