// What is counted of transforms. Names are those of rules of the registry, values those that a rule lists.

import type { GuardOrders } from '#core/guard-orders.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type TransformMeasures = {
  /** @param redaction name of the rule. */
  redacted(redaction: string, count: number, orders: GuardOrders): void;
  /** @param value one of those that the rule lists, or `other`. */
  extracted(extraction: string, value: string, orders: GuardOrders): void;
};

/** Registers the metrics of transforms, once per `metrics`. */
export const createTransformMeasures = (metrics: Metrics): TransformMeasures => {
  const redactions = metrics.counter('ext_proc_redactions_total', 'Places in answers that were redacted', [
    'tenant',
    'server',
    'redaction',
  ]);
  const extractions = metrics.counter('ext_proc_extracted_total', 'Values that rules extract from results', [
    'tenant',
    'server',
    'extraction',
    'value',
  ]);
  return {
    extracted: (extraction, value, { tenantId: tenant, serverId: server }) =>
      extractions.inc({ tenant, server, extraction, value }),
    redacted: (redaction, count, { tenantId: tenant, serverId: server }) =>
      redactions.inc({ tenant, server, redaction }, count),
  };
};
