// What is told of messages that do not fit: which rule of form, by the words of the schema. Never a byte of an answer.

import type { GuardOrders } from '#core/guard-orders.ts';
import type { CheckMode } from '#core/response-guard.ts';
import { idsOf } from '#ext-proc/measures.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** `schema` with a verdict of runtime/json-schema; `content`: blocks that are none; `message_id`: the answer to another request. */
export type Unfit = {
  readonly what: 'message_id' | 'content' | 'schema';
  readonly verdict: 'invalid' | 'unusable' | 'exhausted';
  /** JSON Pointer into the result, `*` for names that are the server's own. */
  readonly pointer?: string;
  readonly keyword?: string;
  /** Why the schema cannot be used. */
  readonly cause?: string;
  /** It did fit as the server sent it; what rules took out of it is what the schema wants. */
  readonly edited?: true;
};

export type UnfitReport = (unfit: Unfit, mode: Exclude<CheckMode, 'off'>, orders: GuardOrders) => void;

/** Registers the metric, once per `metrics`. */
export const createUnfitReport = (metrics: Metrics, logger: Logger): UnfitReport => {
  const total = metrics.counter('ext_proc_unfit_messages_total', 'Messages of answers that do not fit', [
    'tenant',
    'server',
    'what',
    'verdict',
    'mode',
  ]);
  return (unfit, mode, orders) => {
    const { tenantId: tenant, serverId: server, tool } = orders;
    const { what, verdict } = unfit;
    total.inc({ tenant, server, what, verdict, mode });
    const where = tool === undefined ? {} : { tool };
    logger.warn({ ...idsOf(orders), ...where, ...unfit, mode }, 'answer does not fit');
  };
};
