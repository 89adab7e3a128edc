// The step between a decision and its answer: it is on record, or it is not carried out, whatever it was. A refusal
// that leaves no trace is what somebody who tries doors would wish for.

import { type Decision, deny } from '#core/decision.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { JsonObject } from '#core/json.ts';
import { decisionEvent } from '#ext-authz/audit/event.ts';
import type { DecisionSink } from '#ext-authz/audit/sink.ts';
import type { Trail } from '#ext-authz/trail.ts';

export type RecordParts = {
  readonly sink: DecisionSink;
  /** How long the record may take, milliseconds; with the deadline of the check still shorter than Envoy's. */
  readonly recordDeadlineMs: number;
};

const writeWithin = async (deadlineMs: number, writing: Promise<void>): Promise<void> => {
  const { promise, reject } = Promise.withResolvers<void>();
  const late = () => reject(new GatewayError('store_failed', `not on record within ${deadlineMs} ms`));
  const timer = setTimeout(late, deadlineMs);
  try {
    await Promise.race([writing, promise]);
  } finally {
    clearTimeout(timer);
  }
};

/** The decision to answer with: the one given, or `audit_unavailable`. Never throws. */
export const recordDecision = async (
  { sink, recordDeadlineMs }: RecordParts,
  decision: Decision,
  { requestId, trail }: { readonly requestId: string; readonly trail: Trail },
): Promise<Decision> => {
  const describe = (what: Decision): JsonObject =>
    decisionEvent(requestId, what, { findings: trail.findings, durations: trail.durations() });
  let recorded = decision;
  let event: JsonObject | undefined;
  try {
    event = describe(decision);
    await writeWithin(recordDeadlineMs, sink.record(event));
    trail.step('audit');
  } catch (thrown) {
    recorded = deny('audit_unavailable', { log: { error: GatewayError.from(thrown).message } });
  }
  try {
    const told =
      event !== undefined && recorded === decision
        ? { ...event, milliseconds: trail.durations() }
        : describe(recorded);
    sink.tell(recorded, told, trail.findings.logLevel);
    return recorded;
  } catch (thrown) {
    return deny('audit_unavailable', { log: { error: GatewayError.from(thrown).message } });
  }
};
