// Has every evaluation of a policy written down, masked. Off unless it is asked for: it costs more than an evaluation.

import type { Deny } from '#core/decision.ts';
import type { JsonObject } from '#core/json.ts';
import type { Result } from '#core/result.ts';
import { decisionLogEvent, type Evaluated } from '#ext-authz/decision-log/event.ts';
import type { LogFile } from '#ext-authz/decision-log/log-file.ts';
import { type Mask, maskInput } from '#ext-authz/decision-log/mask.ts';
import type { PolicyEngine } from '#ext-authz/policy/engine.ts';

export type DecisionLog = {
  /** Never throws: a decision does not depend on being studied. */
  record(evaluated: Evaluated): void;
};

export type DecisionLogParts = {
  readonly file: Pick<LogFile, 'append'>;
  readonly masks: readonly Mask[];
  /** Key of the pseudonyms. */
  readonly key: Buffer;
  readonly labels: JsonObject;
  readonly nowMs: () => number;
  readonly newId: () => string;
};

export const createDecisionLog = ({
  file,
  masks,
  key,
  labels,
  nowMs,
  newId,
}: DecisionLogParts): DecisionLog => ({
  record: (evaluated) => {
    try {
      const masked = maskInput(evaluated.input, masks, key);
      const timestamp = new Date(nowMs()).toISOString();
      const event = decisionLogEvent(evaluated, { masked, labels, decisionId: newId(), timestamp });
      file.append(JSON.stringify(event));
    } catch {
      // The audit chain has the decision; this is a copy for study.
    }
  },
});

/** The engine, with each of its answers recorded. */
export const loggedEngine = (engine: PolicyEngine, log: DecisionLog): PolicyEngine => {
  const logged = <T extends object>(
    path: Evaluated['path'],
    input: JsonObject,
    ask: () => Result<T, Deny>,
  ): Result<T, Deny> => {
    const startedAt = performance.now();
    const outcome = ask();
    const milliseconds = performance.now() - startedAt;
    log.record({ path, revision: engine.revision, input, outcome, milliseconds });
    return outcome;
  };
  return {
    ...engine,
    // Each call is recorded, and another policy may be asked about it, and read more of it.
    rulesAreKnown: false,
    evaluate: (input) => logged('mcp/authz/decision', input, () => engine.evaluate(input)),
    visible: (input) => logged('mcp/authz/visible', input, () => engine.visible(input)),
  };
};

type Holder = { current(): PolicyEngine };

/** A holder whose engines are logged; one for each policy, not for each call. */
export const loggedHolder = (holder: Holder, log: DecisionLog): Holder => {
  const known = new WeakMap<PolicyEngine, PolicyEngine>();
  return {
    current: () => {
      const engine = holder.current();
      const logged = known.get(engine) ?? loggedEngine(engine, log);
      known.set(engine, logged);
      return logged;
    },
  };
};
