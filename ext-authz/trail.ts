// What is known about one call so far. Steps write down what they learned and how long they took; the answer to the
// client and the line in the decision log are both made from it, so neither can know more than was established.

import type { RefusedId } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { OrderedLogLevel } from '#core/policy/obligations.ts';
import type { ArgumentsFinding } from '#ext-authz/arguments/judge-arguments.ts';
import type { Place } from '#ext-authz/locate.ts';
import type { VersionChoice } from '#ext-authz/version/choose-version.ts';

export type TokenSource = 'cache' | 'exchange' | 'static' | 'none';

export type Findings = {
  place?: Place;
  id?: RefusedId;
  call?: McpCall;
  identity?: Identity;
  version?: string;
  /** Why that one. */
  versionBy?: VersionChoice;
  policyRevision?: string;
  tokenSource?: TokenSource;
  /** What the policy raised the line in the decision log to. */
  logLevel?: OrderedLogLevel;
  /** The approval of a person that the call has used up. */
  approval?: string;
  /** Arguments that do not fit their schema, also where that is only reported. */
  arguments?: ArgumentsFinding;
};

export type Trail = {
  readonly findings: Findings;
  /** Adds findings and closes the step that has run since the last call. */
  step(name: string, findings?: Findings): void;
  /** Milliseconds each step took, with three decimals. */
  durations(): Readonly<Record<string, number>>;
};

/** @param nowMs a monotonic clock. */
export const startTrail = (nowMs: () => number): Trail => {
  const findings: Findings = {};
  const durations: Record<string, number> = {};
  const startedAt = nowMs();
  let last = startedAt;
  const round = (milliseconds: number) => Math.round(milliseconds * 1000) / 1000;
  return {
    findings,
    step: (name, found = {}) => {
      const now = nowMs();
      durations[name] = round(now - last);
      last = now;
      Object.assign(findings, found);
    },
    durations: () => ({ ...durations, total: round(nowMs() - startedAt) }),
  };
};
