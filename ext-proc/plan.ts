// What is done with an answer, decided from its head alone: the orders say whether anything in it is to be judged, the status and
// media type say how to look. Every case is written down; what fits none is refused.

import { type GuardOrders, isConditional } from '#core/guard-orders.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';
import type { AnswerHead } from '#ext-proc/answer-head.ts';

/**
 * How a body that is held whole is judged. `message`: one JSON-RPC message. `error-json`, `error-text`: the body of an
 * answer with an error status, called JSON by its header or not. `nothing`: any byte is a fault.
 */
export type HeldBodyKind = 'message' | 'error-json' | 'error-text' | 'nothing';

export type Plan =
  /** Nothing to judge and it ends by itself: Envoy sends us nothing more of it. */
  | { readonly kind: 'pass' }
  /** Nothing to judge, but it may stay open: it passes through us unchanged so that we can end it. */
  | { readonly kind: 'watch' }
  /** Held whole, judged, cut. */
  | { readonly kind: 'hold'; readonly body: HeldBodyKind }
  /** Server-sent events, each held whole, judged, cut. */
  | { readonly kind: 'events' }
  | { readonly kind: 'refuse'; readonly fault: AnswerFault };

// A redirect leads the caller, and what it sent, around the gateway to an address the server chooses.
const isRedirect = (status: number): boolean => status >= 300 && status <= 399;

const isSuccess = (status: number): boolean => status >= 200 && status <= 299;

const planUnjudged = (head: AnswerHead): Plan =>
  head.endOfStream || head.media === 'json' ? { kind: 'pass' } : { kind: 'watch' };

const hold = (body: HeldBodyKind): Plan => ({ kind: 'hold', body });

const planJudged = (head: AnswerHead): Plan => {
  if (head.endOfStream) return { kind: 'pass' };
  if (head.coding === 'unknown') return { kind: 'refuse', fault: refused('content_encoding') };
  if (head.media === 'sse') return { kind: 'events' };
  if (!isSuccess(head.status)) return hold(head.media === 'json' ? 'error-json' : 'error-text');
  if (head.media === 'json') return hold('message');
  if (head.media === 'none') return hold('nothing');
  return { kind: 'refuse', fault: refused('media_type') };
};

/** True if messages of the answer are held against rules. */
export const isJudged = (orders: GuardOrders): boolean =>
  orders.guard === 'list' || orders.guard === 'rules' || isConditional(orders);

/** The plan for one answer. */
export const planAnswer = (orders: GuardOrders, head: AnswerHead): Plan => {
  // 1xx other than interim answers means the connection changes its protocol: nothing after that could be judged, so
  // only what was let in whole may.
  if (head.status === 101 && orders.guard === 'websocket') return { kind: 'watch' };
  if (head.status < 200) return { kind: 'refuse', fault: refused('protocol_change') };
  if (isRedirect(head.status)) return { kind: 'refuse', fault: refused('redirect') };
  return isJudged(orders) ? planJudged(head) : planUnjudged(head);
};
