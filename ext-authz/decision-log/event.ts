// One evaluation as an event of OPA's decision log, so that what reads OPA's logs reads these. Pure. There is no field a
// token could be in: a policy is never given one.

import type { Deny } from '#core/decision.ts';
import type { Json, JsonObject } from '#core/json.ts';
import type { Result } from '#core/result.ts';
import type { Masked } from '#ext-authz/decision-log/mask.ts';

export type Evaluated = {
  /** As in OPA's REST API, without `/v1/data/`. */
  readonly path: 'mcp/authz/decision' | 'mcp/authz/visible';
  /** `name@revision` of the policy. */
  readonly revision: string;
  readonly input: JsonObject;
  readonly outcome: Result<object, Deny>;
  readonly milliseconds: number;
};

const bundlesOf = (revision: string): JsonObject => {
  const at = revision.indexOf('@');
  const [name, number] = at === -1 ? [revision, ''] : [revision.slice(0, at), revision.slice(at + 1)];
  return { [name]: { revision: number } };
};

const outcomeOf = ({ outcome }: Evaluated): JsonObject =>
  outcome.ok
    ? { result: outcome.value as Json }
    : { error: { code: outcome.error.reason, message: String(outcome.error.logFacts['fault'] ?? '') } };

export const decisionLogEvent = (
  evaluated: Evaluated,
  known: {
    readonly masked: Masked;
    readonly labels: JsonObject;
    readonly decisionId: string;
    readonly timestamp: string;
  },
): JsonObject => {
  const { masked, labels, decisionId, timestamp } = known;
  return {
    labels,
    decision_id: decisionId,
    bundles: bundlesOf(evaluated.revision),
    path: evaluated.path,
    input: masked.input,
    ...outcomeOf(evaluated),
    ...(masked.erased.length === 0 ? {} : { erased: masked.erased }),
    ...(masked.masked.length === 0 ? {} : { masked: masked.masked }),
    timestamp,
    metrics: { timer_rego_query_eval_ns: Math.round(evaluated.milliseconds * 1e6) },
  };
};
