// The end of every command: the tenant as it would be is judged whole, and what is wrong is laid at the door of the
// resource that was sent, or, where that one is fine, named as what stands against it.

import { err, ok } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { describeChanges } from '#registry/commands/describe-changes.ts';
import type { Fault, Outcome } from '#registry/commands/outcome.ts';
import type { ResourceName } from '#registry/commands/resources.ts';
import { adaptiveRule } from '#registry/commands/rules/adaptive-rule.ts';
import { assuranceRule } from '#registry/commands/rules/assurance-rule.ts';
import { certificateRule } from '#registry/commands/rules/certificate-rule.ts';
import { constraintRule } from '#registry/commands/rules/constraint-rule.ts';
import { credentialRule } from '#registry/commands/rules/credential-rule.ts';
import { allowedHostsRule } from '#registry/commands/rules/endpoint-rules.ts';
import { facadeRule } from '#registry/commands/rules/facade-rule.ts';
import { grantRule } from '#registry/commands/rules/grant-rules.ts';
import { introspectionRule } from '#registry/commands/rules/introspection-rule.ts';
import { distinctIssuersRule, issuerRule } from '#registry/commands/rules/issuer-rules.ts';
import { machineCertificateRule } from '#registry/commands/rules/machine-certificate-rule.ts';
import { originRule } from '#registry/commands/rules/origin-rule.ts';
import { policyRule } from '#registry/commands/rules/policy-rule.ts';
import { publisherRule } from '#registry/commands/rules/publisher-rules.ts';
import { responseGuardRule } from '#registry/commands/rules/response-guard-rule.ts';
import type { LocatedFault, Rule } from '#registry/commands/rules/rule.ts';
import { bindingRule } from '#registry/commands/rules/server-rules.ts';
import { sharedAudienceRule } from '#registry/commands/rules/shared-audience-rule.ts';
import { signalsRule } from '#registry/commands/rules/signals-rule.ts';
import { trafficRule } from '#registry/commands/rules/traffic-rules.ts';
import { upstreamAuthRule } from '#registry/commands/rules/upstream-auth-rule.ts';
import { upstreamRule } from '#registry/commands/rules/upstream-rules.ts';

const RULES: readonly Rule[] = [
  originRule,
  issuerRule,
  distinctIssuersRule,
  bindingRule,
  introspectionRule,
  facadeRule,
  signalsRule,
  machineCertificateRule,
  credentialRule,
  upstreamAuthRule,
  sharedAudienceRule,
  allowedHostsRule,
  trafficRule,
  upstreamRule,
  adaptiveRule,
  constraintRule,
  responseGuardRule,
  assuranceRule,
  grantRule,
  publisherRule,
  policyRule,
  certificateRule,
];

const judge = (tenant: Tenant): readonly LocatedFault[] => RULES.flatMap((rule) => rule(tenant));

const identify = (fault: LocatedFault): string => `${fault.resource} ${fault.pointer} ${fault.message}`;

/** Faults that were not there before. A rule that became stricter must not lock everything else in the tenant. */
const newFaults = (before: Tenant | undefined, faults: readonly LocatedFault[]): readonly LocatedFault[] => {
  if (before === undefined || faults.length === 0) return faults;
  const known = new Set(judge(before).map(identify));
  return faults.filter((fault) => !known.has(identify(fault)));
};

const plain = ({ pointer, message }: Fault): Fault => ({ pointer, message });

export type Change = {
  /** Undefined for a tenant that is being created. */
  readonly before: Tenant | undefined;
  readonly after: Tenant;
  /** What the command is about: faults in it are the sender's. */
  readonly resource: ResourceName;
  /** Faults found by the command itself, with pointers into `resource`. */
  readonly faults?: readonly Fault[];
};

/**
 * The outcome of a change. Everything wrong with the resource sent is reported at once, also what was wrong with it
 * before; other resources count only where this change breaks them.
 */
export const settle = (change: Change): Outcome => {
  const { before, after, resource } = change;
  const faultsAfter = judge(after);
  const own = [...(change.faults ?? []), ...faultsAfter.filter((fault) => fault.resource === resource)];
  if (own.length > 0) return err({ kind: 'invalid', faults: own.map(plain) });
  const broken = newFaults(before, faultsAfter);
  if (broken.length === 0) return ok({ tenant: after, changes: describeChanges(before, after) });
  const faults = broken.map((fault) => ({
    pointer: '',
    message: `${fault.resource}${fault.pointer}: ${fault.message}`,
  }));
  return err({ kind: 'conflict', faults });
};
