// What is told of findings: how many of which kind, and what was done. Never what was found.

import type { GuardOrders } from '#core/guard-orders.ts';
import type { FindingAction } from '#core/response-guard.ts';
import { idsOf } from '#ext-proc/measures.ts';
import type { Judged } from '#ext-proc/sanitation/finding-actions.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type FindingCount = {
  readonly detector: string;
  readonly kind: string;
  readonly action: FindingAction;
  readonly count: number;
};

/** Findings counted by detector, kind and action. */
export const countFindings = (judged: Iterable<Judged>): readonly FindingCount[] => {
  const counts = new Map<string, FindingCount>();
  for (const { detector, kind, action } of judged) {
    const name = `${detector} ${kind} ${action}`;
    counts.set(name, { detector, kind, action, count: (counts.get(name)?.count ?? 0) + 1 });
  }
  return [...counts.values()];
};

/** Hears of the findings of one message; of a message without any it does not. */
export type FindingReport = (counts: readonly FindingCount[], orders: GuardOrders) => void;

/** Registers the metric, once per `metrics`. Kinds are of a detector's closed list. */
export const createFindingReport = (metrics: Metrics, logger: Logger): FindingReport => {
  const total = metrics.counter('ext_proc_findings_total', 'Findings in answers', [
    'tenant',
    'detector',
    'kind',
    'action',
  ]);
  return (counts, orders) => {
    for (const { detector, kind, action, count } of counts)
      total.inc({ tenant: orders.tenantId, detector, kind, action }, count);
    logger.info({ ...idsOf(orders), findings: counts }, 'findings in an answer');
  };
};
