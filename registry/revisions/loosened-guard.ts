// What of the response guard is weaker after a change: modes, rules for findings, what is taken out of answers. Of two
// rules that differ in anything but the action nobody can tell which is the stronger, so the loss of the old one is named.

import type { DetectorName } from '#core/detectors.ts';
import { responseGuardOf } from '#core/guard-in-force.ts';
import {
  CHECK_MODES,
  DRIFT_MODES,
  type Extraction,
  FINDING_ACTIONS,
  type FindingRule,
  type HeaderChange,
  REQUEST_STATE_MODES,
  type Redaction,
  type ResponseGuardInForce,
  UNREADABLE_MODES,
} from '#core/response-guard.ts';
import { isSameJson } from '#core/same-json.ts';
import type { McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';

/** Of each mode the values from the strictest on, as core/response-guard.ts has them. */
const MODES = {
  drift: DRIFT_MODES,
  arguments: CHECK_MODES,
  results: CHECK_MODES,
  unreadable: UNREADABLE_MODES,
  requestState: REQUEST_STATE_MODES,
} as const satisfies Partial<Record<keyof ResponseGuardInForce, readonly string[]>>;

const loosenedModes = (before: ResponseGuardInForce, after: ResponseGuardInForce): readonly string[] =>
  (Object.keys(MODES) as (keyof typeof MODES)[]).flatMap((mode) => {
    const order: readonly string[] = MODES[mode];
    return order.indexOf(after[mode]) > order.indexOf(before[mode])
      ? [`${mode} is ${after[mode]}, and was ${before[mode]}`]
      : [];
  });

/** A higher cap passes longer answers; a lower one judges fewer, where what is over it passes. */
const loosenedCap = (before: ResponseGuardInForce, after: ResponseGuardInForce): readonly string[] => {
  const [old, current] = [before.maxAnswerBytes ?? Infinity, after.maxAnswerBytes ?? Infinity];
  if (current > old) return ['maxAnswerBytes is raised'];
  return current < old && after.unreadable === 'report'
    ? ['maxAnswerBytes is lowered, and unreadable is report']
    : [];
};

const strength = ({ action }: FindingRule): number => FINDING_ACTIONS.indexOf(action);

const isAtLeast = (rule: FindingRule, old: FindingRule): boolean =>
  strength(rule) >= strength(old) && isSameJson({ ...rule, action: old.action }, old);

/** The detector that reads `allowedHosts`, put together over all its rules. */
const LINKS = 'exfiltration' satisfies DetectorName;

const hostsOf = (rules: readonly FindingRule[]): readonly string[] =>
  rules.flatMap(({ allowedHosts = [] }) => allowedHosts);

/**
 * The first rule that fits a finding counts. So an old one is as good as it was if one as strong is there and nothing
 * milder that is new, or was behind it, stands before it.
 */
const isWeakened = (
  old: FindingRule,
  before: readonly FindingRule[],
  after: readonly FindingRule[],
): boolean => {
  const at = after.findIndex((rule) => isAtLeast(rule, old));
  if (at === -1) return true;
  const ahead = before.slice(0, before.indexOf(old));
  return after
    .slice(0, at)
    .some(
      (rule) =>
        rule.detector === old.detector &&
        strength(rule) < strength(old) &&
        !ahead.some((known) => isAtLeast(rule, known)),
    );
};

const loosenedFindings = (
  before: readonly FindingRule[],
  after: readonly FindingRule[],
): readonly string[] => {
  const weakened = before.filter((old) => old.action !== 'allow' && isWeakened(old, before, after));
  const known = hostsOf(before);
  const wasLooked = before.some(({ detector }) => detector === LINKS);
  const hosts = new Set(hostsOf(after).filter((host) => wasLooked && !known.includes(host)));
  return [
    ...weakened.map(({ detector, action }) => `findings of ${detector} need not be met with ${action}`),
    ...[...hosts].map((host) => `links to ${host} are allowed`),
  ];
};

type Lists = Pick<ResponseGuardInForce, 'redactions' | 'headers' | 'extractions'>;

const lost = <T>(before: readonly T[], after: readonly T[]): readonly T[] =>
  before.filter((old) => !after.some((rule) => isSameJson(rule, old)));

/** What is added to an answer tells nothing that it hid; what is extracted does. */
const loosenedLists = (before: Lists, after: Lists): readonly string[] => [
  ...lost<Redaction>(before.redactions, after.redactions).map(
    ({ name }) => `redaction ${name} is dropped or changed`,
  ),
  ...lost<HeaderChange>(before.headers, after.headers).map(
    ({ action, name }) => `header ${name}: ${action} is dropped or changed`,
  ),
  ...lost<Extraction>(after.extractions, before.extractions).map(
    ({ name }) => `extraction ${name} tells a value outside of its answer`,
  ),
];

const loosened = (before: ResponseGuardInForce, after: ResponseGuardInForce): readonly string[] =>
  before === after
    ? []
    : [
        ...new Set([
          ...loosenedModes(before, after),
          ...loosenedCap(before, after),
          ...loosenedFindings(before.findings, after.findings),
          ...loosenedLists(before, after),
        ]),
      ];

type Guarded = Pick<Tenant, 'responseGuard'>;
type GuardedServer = Pick<McpServer, 'responseGuard'>;

const NOTHING_SET: GuardedServer = {};

/** What is weaker by the tenant's own settings, for servers that set nothing. */
export const loosenedTenantGuard = (before: Guarded, after: Guarded): readonly string[] =>
  loosened(responseGuardOf(before, NOTHING_SET), responseGuardOf(after, NOTHING_SET));

/** What is weaker by the server's own settings. @param tenant as it is after the change: its are named apart. */
export const loosenedServerGuard = (
  tenant: Guarded,
  before: GuardedServer,
  after: GuardedServer,
): readonly string[] => loosened(responseGuardOf(tenant, before), responseGuardOf(tenant, after));
