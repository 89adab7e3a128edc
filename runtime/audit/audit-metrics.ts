// What the audit says of itself to Prometheus.

import type { Counter, Histogram, Metrics } from '#runtime/metrics.ts';

export type AuditMetrics = {
  readonly records: Counter;
  readonly bytes: Counter;
  readonly failures: Counter;
  readonly checkpoints: Counter;
  readonly flush: Histogram;
};

export const createAuditMetrics = (metrics: Metrics): AuditMetrics => ({
  records: metrics.counter('audit_records_total', 'Records written to the audit chain'),
  bytes: metrics.counter('audit_bytes_total', 'Bytes written to the audit chain'),
  failures: metrics.counter('audit_failures_total', 'Records and checkpoints that could not be written'),
  checkpoints: metrics.counter('audit_checkpoints_total', 'Signed checkpoints written'),
  flush: metrics.duration('audit_flush_seconds', 'Time one batch of records took to write'),
});
