// Spreads the calls of a server over its versions, and ends that. What is withdrawn stays so until somebody lifts it by
// name: neither an activation, nor the end of a split, nor a restore brings a version back that failed.

import { err } from '#core/result.ts';
import { findVersion, type McpServer } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import type {
  AbortRecord,
  AbortRule,
  Tester,
  ToolWeights,
  TrafficSplit,
  VersionWeight,
} from '#core/traffic-split.ts';
import { type CheckUrl, conflict, type Fault, notFound, type Outcome } from '#registry/commands/outcome.ts';
import { withItem } from '#registry/commands/replace-by-id.ts';
import { serverName } from '#registry/commands/resources.ts';
import { judgeSplit, namedVersions } from '#registry/commands/rules/traffic-rules.ts';
import { judgeReplicas } from '#registry/commands/server-version.ts';
import { settle } from '#registry/commands/settle.ts';
import { allTo, withTraffic } from '#registry/commands/with-traffic.ts';

/** A step as it is sent: exactly one of `at` and `afterSeconds`. */
export type SentStep = {
  readonly at?: string;
  readonly afterSeconds?: number;
  readonly weights: readonly VersionWeight[];
  readonly tools?: readonly ToolWeights[];
};

/** A tester as it is sent: exactly one of the three. */
export type SentTester = {
  readonly version: string;
  readonly header?: { readonly name: string; readonly value: string };
  readonly principal?: string;
  readonly group?: { readonly id: string; readonly issuerId?: string };
};

/** A split as it is sent. */
export type SentTraffic = {
  readonly weights: readonly VersionWeight[];
  readonly tools?: readonly ToolWeights[];
  readonly testers?: readonly SentTester[];
  readonly steps?: readonly SentStep[];
  readonly abort?: AbortRule;
  /** Absent: what is withdrawn stays so. */
  readonly withdrawn?: readonly string[];
};

const given = (...values: readonly unknown[]): number => values.filter((value) => value !== undefined).length;

const judgeForm = ({ testers = [], steps = [] }: SentTraffic): Fault[] => [
  ...testers.flatMap(({ header, principal, group }, index) =>
    given(header, principal, group) === 1
      ? []
      : [{ pointer: `/testers/${index}`, message: 'exactly one of header, principal, group is given' }],
  ),
  ...steps.flatMap(({ at, afterSeconds }, index) =>
    given(at, afterSeconds) === 1
      ? []
      : [{ pointer: `/steps/${index}`, message: 'exactly one of at, afterSeconds is given' }],
  ),
];

const momentOf = ({ at, afterSeconds = 0 }: SentStep, nowMs: number): string =>
  at ?? new Date(nowMs + afterSeconds * 1000).toISOString();

const splitOf = (sent: SentTraffic, known: TrafficSplit | undefined, nowMs: number): TrafficSplit => ({
  weights: sent.weights,
  tools: sent.tools ?? [],
  testers: (sent.testers ?? []) as readonly Tester[],
  steps: (sent.steps ?? []).map((step) => ({
    at: momentOf(step, nowMs),
    weights: step.weights,
    ...(step.tools === undefined ? {} : { tools: step.tools }),
  })),
  ...(sent.abort === undefined ? {} : { abort: sent.abort }),
  withdrawn: sent.withdrawn ?? known?.withdrawn ?? [],
  ...(known?.lastAbort === undefined ? {} : { lastAbort: known.lastAbort }),
});

const settleTraffic = (
  before: Tenant,
  server: McpServer,
  { split, faults = [] }: { readonly split: TrafficSplit | undefined; readonly faults?: readonly Fault[] },
): Outcome =>
  settle({
    before,
    after: { ...before, servers: withItem(before.servers, withTraffic(server, split)) },
    resource: `${serverName(server.id)}/traffic`,
    faults,
  });

/** Versions that would get calls lead where the admin and the deployment allow, now and not only when published. */
const judgeEndpointsOf = (server: McpServer, split: TrafficSplit, checkUrl: CheckUrl): Fault[] => {
  const places = new Map(
    namedVersions(split)
      .filter(({ getsCalls }) => getsCalls)
      .toReversed()
      .map(({ version, pointer }) => [version, pointer]),
  );
  return [...places].flatMap(([name, pointer]) => {
    const version = findVersion(server, name);
    const faults = version === undefined ? [] : judgeReplicas(server, version, checkUrl);
    return faults.map(({ message }) => ({ pointer, message: `version ${name}: ${message}` }));
  });
};

/**
 * Puts a split in the place of what there is.
 * @param nowMs what `afterSeconds` counts from, milliseconds since the epoch.
 */
export const putTraffic = (
  before: Tenant,
  {
    serverId,
    sent,
    nowMs,
  }: { readonly serverId: string; readonly sent: SentTraffic; readonly nowMs: number },
  checkUrl: CheckUrl,
): Outcome => {
  const server = findServer(before, serverId);
  if (server === undefined) return err(notFound(`server ${serverId}`));
  if (server.activeVersion === '')
    return err(conflict('the server has no active version to come back to: activate one first'));
  const split = splitOf(sent, server.traffic, nowMs);
  const faults = judgeForm(sent);
  if (faults.length > 0) return settleTraffic(before, server, { split: server.traffic, faults });
  return settleTraffic(before, server, {
    split,
    faults: [...judgeSplit(server, split), ...judgeEndpointsOf(server, split, checkUrl)],
  });
};

/** Ends the split: all calls go to the active version. */
export const endTraffic = (before: Tenant, serverId: string): Outcome => {
  const server = findServer(before, serverId);
  if (server === undefined) return err(notFound(`server ${serverId}`));
  const { activeVersion, traffic } = server;
  if (traffic?.withdrawn.includes(activeVersion) === true)
    return err(conflict(`the active version ${activeVersion} is withdrawn: activate another one`));
  return settleTraffic(before, server, { split: allTo(activeVersion, traffic) });
};

const withoutVersion = (split: TrafficSplit, record: AbortRecord): TrafficSplit => ({
  weights: [{ version: record.fallback, weight: 1 }],
  tools: [],
  testers: split.testers.filter(({ version }) => version !== record.version),
  steps: [],
  withdrawn: [...new Set([...split.withdrawn, record.version])].toSorted(),
  lastAbort: record,
});

/** Takes a version out of service because of what was seen of it. Nothing changes if its rule is no longer there. */
export const abortTraffic = (
  before: Tenant,
  { serverId, record }: { readonly serverId: string; readonly record: AbortRecord },
): Outcome => {
  const server = findServer(before, serverId);
  if (server === undefined) return err(notFound(`server ${serverId}`));
  const { traffic } = server;
  const stands = traffic?.abort?.version === record.version && traffic.abort.fallback === record.fallback;
  if (traffic === undefined || !stands) return settleTraffic(before, server, { split: traffic });
  return settleTraffic(before, server, { split: withoutVersion(traffic, record) });
};
