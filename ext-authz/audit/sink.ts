// Where decisions are written: one JSON line each, and counters. A decision that cannot be written is not carried out;
// the pipeline turns what this throws into a refusal.

import { type Decision, isAllow } from '#core/decision.ts';
import type { JsonObject } from '#core/json.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type DecisionSink = {
  /** @throws whatever the log does; the caller must refuse then. */
  write(decision: Decision, event: JsonObject): void;
};

const labelOf = (decision: Decision): { decision: string; reason: string } => {
  if (isAllow(decision)) return { decision: 'allow', reason: '' };
  return decision.kind === 'deny'
    ? { decision: 'deny', reason: decision.reason }
    : { decision: 'answer', reason: '' };
};

/** Decisions as log lines named `decision`, counted by outcome and reason, timed by step. */
export const createDecisionSink = (logger: Logger, metrics: Metrics): DecisionSink => {
  const decisions = metrics.counter('decisions_total', 'Decisions by outcome and reason', [
    'decision',
    'reason',
    'tenant',
  ]);
  const steps = metrics.duration('decision_step_seconds', 'Time a step of the decision took', ['step']);
  return {
    write: (decision, event) => {
      logger.info(event, 'decision');
      decisions.inc({ ...labelOf(decision), tenant: String(event['tenant'] ?? '') });
      for (const [step, milliseconds] of Object.entries(event['milliseconds'] as Record<string, number>)) {
        steps.observe({ step }, milliseconds / 1000);
      }
    },
  };
};
