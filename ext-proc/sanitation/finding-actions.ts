// What the rules say of findings: which detectors look through a message, and what is done about each thing they find.

import { isForMessage, isForTool } from '#core/guard-in-force.ts';
import type { FindingAction, FindingRule } from '#core/response-guard.ts';
import type { MessageContext } from '#ext-proc/message/message-step.ts';
import type { Detector } from '#ext-proc/sanitation/detector.ts';
import type { ArmedDetector, Found } from '#ext-proc/sanitation/scan-texts.ts';

/** A finding and what is done about it. */
export type Judged = Found & { readonly action: FindingAction };

/** The rules that are for a message, in their order. */
export const rulesFor = ({ rules, orders, kind }: MessageContext): readonly FindingRule[] =>
  rules.guard.findings.filter((rule) => isForMessage(rule, kind) && isForTool(rule, orders.tool));

const union = (lists: readonly (readonly string[] | undefined)[]): readonly string[] => [
  ...new Set(lists.flatMap((list) => list ?? [])),
];

/**
 * The detectors that rules name, each with what all its rules set.
 * @returns undefined where a rule names a detector that there is none of: what it would have found passes for nothing.
 */
export const armDetectors = (
  rules: readonly FindingRule[],
  detectors: readonly Detector[],
): readonly ArmedDetector[] | undefined => {
  const armed: ArmedDetector[] = [];
  for (const name of new Set(rules.map((rule) => rule.detector))) {
    const detector = detectors.find((known) => known.name === name);
    if (detector === undefined) return undefined;
    const own = rules.filter((rule) => rule.detector === name);
    const allowedHosts = union(own.map((rule) => rule.allowedHosts));
    const countries = union(own.map((rule) => rule.countries));
    const isHosted = own.some((rule) => rule.allowedHosts !== undefined);
    armed.push({ detector, options: { countries, ...(isHosted ? { allowedHosts } : {}) } });
  }
  return armed;
};

/** The first rule that fits counts; a finding of a kind that no rule names is let be. */
export const judgeFinding = (found: Found, rules: readonly FindingRule[]): Judged => {
  const rule = rules.find(
    ({ detector, kinds }) =>
      detector === found.detector && (kinds === undefined || kinds.includes(found.kind)),
  );
  return { ...found, action: rule?.action ?? 'allow' };
};
