// How the calls of a server are spread over its versions. Which shares hold at a moment is a function of this value and
// the clock alone, so every service and every process comes to the same, also while the registry is away.

/** A version's share of calls: its weight over the sum of all. */
export type VersionWeight = { readonly version: string; readonly weight: number };

/** Shares of one tool's calls, in place of those of the server. */
export type ToolWeights = { readonly tool: string; readonly weights: readonly VersionWeight[] };

/** The shares that hold together. A version in none of them gets no calls, except of testers. */
export type Shares = {
  /** At least one weight is above 0. */
  readonly weights: readonly VersionWeight[];
  readonly tools: readonly ToolWeights[];
};

/**
 * Callers who get a version whatever the shares say; it gives them no access that grants do not give. A header is
 * matched by its one exact value. A group without `issuerId` is one of a `home` issuer's, as in a grant.
 */
export type Tester = { readonly version: string } & (
  | { readonly header: { readonly name: string; readonly value: string } }
  | { readonly principal: string }
  | { readonly group: { readonly id: string; readonly issuerId?: string } }
);

/** From `at` (RFC 3339, UTC) on, these shares hold. Without `tools`, those that held before go on. */
export type TrafficStep = {
  readonly at: string;
  readonly weights: readonly VersionWeight[];
  readonly tools?: readonly ToolWeights[];
};

/**
 * What a version is watched for: `error-rate`, the share of its calls that failed, 0 to 1; `latency-p95`, the 95th
 * percentile of the time to the first byte, milliseconds; `invalid-answers`, the share of its answers held against their
 * schema that did not fit it, 0 to 1.
 */
export const ABORT_SIGNALS = ['error-rate', 'latency-p95', 'invalid-answers'] as const;
export type AbortSignalName = (typeof ABORT_SIGNALS)[number];

/** Signals that are a share, 0 to 1. */
export const SHARE_SIGNALS: readonly AbortSignalName[] = ['error-rate', 'invalid-answers'];

export type AbortLimit = { readonly signal: AbortSignalName; readonly maximum: number };

/** When all calls go back to `fallback` by themselves. */
export type AbortRule = {
  /** The version that is watched. */
  readonly version: string;
  readonly fallback: string;
  /** Figures of this long a time up to now are judged together. */
  readonly windowSeconds: number;
  /** With fewer calls in the window nothing is judged; of `invalid-answers`, with fewer judged answers. */
  readonly minimumCalls: number;
  /** One of them passed is enough; each signal once. */
  readonly limits: readonly AbortLimit[];
};

/** What the gateway did by itself, and what it saw. */
export type AbortRecord = {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly version: string;
  readonly fallback: string;
  readonly signal: AbortSignalName;
  /** As the signal is measured; for a percentile the upper bound of its bucket. */
  readonly value: number;
  readonly limit: number;
  /** Calls in the window; of `invalid-answers`, judged answers. */
  readonly calls: number;
};

export type TrafficSplit = Shares & {
  /** The first that matches counts. */
  readonly testers: readonly Tester[];
  /** By `at`, ascending, no moment twice. */
  readonly steps: readonly TrafficStep[];
  readonly abort?: AbortRule;
  /** Versions that get no call, and whose sessions are over. */
  readonly withdrawn: readonly string[];
  readonly lastAbort?: AbortRecord;
};

/** The shares that hold at a moment. @param nowMs milliseconds since the epoch. */
export const sharesAt = ({ weights, tools, steps }: TrafficSplit, nowMs: number): Shares =>
  steps
    .filter(({ at }) => Date.parse(at) <= nowMs)
    .reduce<Shares>((held, step) => ({ weights: step.weights, tools: step.tools ?? held.tools }), {
      weights,
      tools,
    });

const named = (weights: readonly VersionWeight[]): readonly string[] =>
  weights.filter(({ weight }) => weight > 0).map(({ version }) => version);

const namedByTools = (tools: readonly ToolWeights[] = []): readonly string[] =>
  tools.flatMap(({ weights }) => named(weights));

/** Every version that can get a call under this split, now, at a later step, by a tester, or by an abort; no name twice. */
export const versionsIn = ({ weights, tools, steps, testers, abort }: TrafficSplit): readonly string[] => [
  ...new Set([
    ...named(weights),
    ...namedByTools(tools),
    ...steps.flatMap((step) => [...named(step.weights), ...namedByTools(step.tools)]),
    ...testers.map(({ version }) => version),
    ...(abort === undefined ? [] : [abort.fallback]),
  ]),
];
