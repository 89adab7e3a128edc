// Where decisions are written: a record in the audit chain, which must be there before the answer leaves, then one JSON
// line in the log and counters, which say what the answer was.

import { type Decision, isAllow } from '#core/decision.ts';
import type { JsonObject } from '#core/json.ts';
import type { OrderedLogLevel } from '#core/policy/obligations.ts';
import type { ArgumentsFinding } from '#ext-authz/arguments/judge-arguments.ts';
import { auditEventOf } from '#ext-authz/audit/audit-event.ts';
import type { AuditChain } from '#runtime/audit/chain-writer.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type DecisionSink = {
  /** Resolves when the decision is on record. @throws whatever the chain does; the caller must refuse then */
  record(event: JsonObject): Promise<void>;
  /** Says what is answered, at `info` or what the policy raised it to. @throws whatever the log does; the caller must refuse then */
  tell(decision: Decision, event: JsonObject, level?: OrderedLogLevel): void;
};

export type SinkParts = {
  readonly chain: Pick<AuditChain, 'append'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
};

const labelOf = (decision: Decision): { decision: string; reason: string } => {
  if (isAllow(decision)) return { decision: 'allow', reason: '' };
  return decision.kind === 'deny'
    ? { decision: 'deny', reason: decision.reason }
    : { decision: 'answer', reason: '' };
};

/** Decisions as audit records and as log lines named `decision`, counted by outcome and reason, timed by step. */
export const createDecisionSink = ({ chain, logger, metrics, nowMs }: SinkParts): DecisionSink => {
  const decisions = metrics.counter('decisions_total', 'Decisions by outcome and reason', [
    'decision',
    'reason',
    'tenant',
  ]);
  const unfit = metrics.counter('arguments_unfit_total', 'Calls whose arguments do not fit their schema', [
    'tenant',
    'verdict',
    'mode',
  ]);
  const steps = metrics.duration('decision_step_seconds', 'Time a step of the decision took', ['step']);
  return {
    record: async (event) => chain.append(auditEventOf(event, new Date(nowMs()).toISOString())),
    tell: (decision, event, level) => {
      logger[level ?? 'info'](event, 'decision');
      decisions.inc({ ...labelOf(decision), tenant: String(event['tenant'] ?? '') });
      const { verdict, mode } = (event['arguments'] ?? {}) as Partial<ArgumentsFinding>;
      if (verdict !== undefined && mode !== undefined)
        unfit.inc({ tenant: String(event['tenant'] ?? ''), verdict, mode });
      for (const [step, milliseconds] of Object.entries(event['milliseconds'] as Record<string, number>)) {
        steps.observe({ step }, milliseconds / 1000);
      }
    },
  };
};
