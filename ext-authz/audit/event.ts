// A decision as one flat log line: who, for which tenant, which tool, what was decided and why, judged by which
// policy, with which token source, how long each step took. Pure. Arguments and tokens have no field to be in.

import { type Decision, type Deny, isAllow } from '#core/decision.ts';
import type { JsonObject } from '#core/json.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { sessionReference } from '#core/sealed-session.ts';
import type { Findings } from '#ext-authz/trail.ts';

/** What the client was told and what it was not. A claims challenge is the provider's and may name policies: left out. */
const factsOf = ({ publicFacts, logFacts }: Deny): JsonObject => {
  const { claims: _claims, contact: _contact, ...told } = publicFacts;
  return { ...told, ...logFacts };
};

const describe = (decision: Decision): JsonObject => {
  if (isAllow(decision)) return { decision: 'allow' };
  if (decision.kind === 'deny')
    return { decision: 'deny', reason: decision.reason, facts: factsOf(decision) };
  return { decision: 'answer' };
};

const describeCaller = ({ identity }: Findings): JsonObject =>
  identity === undefined
    ? {}
    : {
        principal: identity.principal,
        caller: identity.kind,
        issuer: identity.issuerId,
        relation: identity.relation,
        ...(identity.app === undefined ? {} : { application: identity.app }),
      };

/** Targets of one call that are written out; a subscription may name thousands. */
const MAX_TARGETS = 20;

const describeTargets = (targets: McpCall['targets']): JsonObject => {
  const [only] = targets;
  if (only === undefined) return {};
  if (targets.length === 1) return { [only.kind]: only.name };
  const names = targets.slice(0, MAX_TARGETS).map((target) => `${target.kind}:${target.name}`);
  return { targets: names, targetCount: targets.length };
};

const describeCall = ({ call }: Findings): JsonObject =>
  call === undefined
    ? {}
    : {
        era: call.era,
        messageKind: call.kind,
        ...(call.method === undefined ? {} : { method: call.method }),
        ...(call.sessionId === undefined ? {} : { session: sessionReference(call.sessionId) }),
        ...describeTargets(call.targets),
      };

/** The line for one decision. `durations` are milliseconds per step. */
export const decisionEvent = (
  requestId: string,
  decision: Decision,
  trail: { readonly findings: Findings; readonly durations: Readonly<Record<string, number>> },
): JsonObject => {
  const {
    place,
    version,
    versionBy,
    policyRevision,
    tokenSource,
    approval,
    arguments: unfit,
  } = trail.findings;
  return {
    requestId,
    ...(place === undefined
      ? {}
      : { tenant: place.tenant.id, server: place.server.id, sequence: place.sequence }),
    ...(version === undefined ? {} : { version }),
    ...(versionBy === undefined ? {} : { versionBy }),
    ...describeCaller(trail.findings),
    ...describeCall(trail.findings),
    ...describe(decision),
    ...(policyRevision === undefined ? {} : { policyRevision }),
    ...(tokenSource === undefined ? {} : { tokenSource }),
    ...(approval === undefined ? {} : { approval }),
    ...(unfit === undefined ? {} : { arguments: unfit }),
    milliseconds: trail.durations,
  };
};
