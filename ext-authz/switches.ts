// Kill switches, held against what is known of a call so far. They only refuse, so they may be asked early and often:
// before anything is spent on a call, and once more after others were waited for. Pure.

import { type Deny, deny } from '#core/decision.ts';
import type { ListOrder } from '#core/guard-orders.ts';
import type { Identity } from '#core/identity.ts';
import {
  callerFacts,
  hasLapsed,
  type KillSwitch,
  type SwitchFacts,
  type SwitchTarget,
  takesIn,
} from '#core/kill-switch.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { Reason } from '#core/reason.ts';
import type { ServerVersion } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { hideTools } from '#ext-authz/hide-tools.ts';
import type { Place } from '#ext-authz/locate.ts';

/** What is known of a call beside its place. */
export type KnownOfCall = { readonly identity?: Identity; readonly call?: McpCall };

/** What each kind of switch is refused as, the widest first: where several are thrown, that one is named. */
const REASONS: Readonly<Record<SwitchTarget['kind'], Reason>> = {
  tenant: 'tenant_disabled',
  server: 'server_disabled',
  application: 'application_blocked',
  principal: 'caller_blocked',
  tool: 'tool_disabled',
};
const WIDEST_FIRST = Object.keys(REASONS);

const factsOf = ({ server }: Place, { identity, call }: KnownOfCall): SwitchFacts => ({
  serverId: server.id,
  ...(identity === undefined ? {} : { caller: callerFacts(identity) }),
  ...(call === undefined
    ? {}
    : {
        tools: call.targets.filter(({ kind }) => kind === 'tool').map(({ name }) => name),
        // Of a WebSocket nobody can tell either which tools are called in it.
        resumes: call.resumes === true || call.kind === 'upgrade',
      }),
});

const endOf = ({ until }: KillSwitch): number => (until === undefined ? Infinity : Date.parse(until));

/** Of the switches that stop a call the widest, and of those the one that holds longest. */
const byWeight = (a: KillSwitch, b: KillSwitch): number =>
  WIDEST_FIRST.indexOf(a.target.kind) - WIDEST_FIRST.indexOf(b.target.kind) || endOf(b) - endOf(a);

/** A blocked caller is not told how long to wait: it may be the very thief the switch was thrown for. */
const publicFacts = (thrown: KillSwitch, nowMs: number): { readonly retryAfterSeconds?: number } => {
  const { kind } = thrown.target;
  if (thrown.until === undefined || kind === 'principal' || kind === 'application') return {};
  return { retryAfterSeconds: Math.ceil((Date.parse(thrown.until) - nowMs) / 1000) };
};

const refuse = (thrown: KillSwitch, nowMs: number): Deny =>
  deny(REASONS[thrown.target.kind], {
    public: publicFacts(thrown, nowMs),
    log: {
      killSwitch: thrown.id,
      ...(thrown.until === undefined ? {} : { until: thrown.until }),
    },
  });

/**
 * @param known what earlier steps have found; what is not known yet stops nobody.
 * @param nowMs wall clock, milliseconds since the epoch.
 * @returns tenant_disabled, server_disabled, application_blocked, caller_blocked, tool_disabled; or undefined.
 */
export const judgeSwitches = (place: Place, known: KnownOfCall, nowMs: number): Deny | undefined => {
  const facts = factsOf(place, known);
  const [thrown] = place.tenant.killSwitches
    .filter((candidate) => !hasLapsed(candidate, nowMs) && takesIn(candidate.target, facts))
    .toSorted(byWeight);
  if (thrown?.target.kind === 'tenant') return refuse(thrown, nowMs);
  if (!place.server.enabled) return deny('server_disabled');
  return thrown === undefined ? undefined : refuse(thrown, nowMs);
};

const switchedTools = ({ killSwitches }: Tenant, serverId: string, nowMs: number): ReadonlySet<string> =>
  new Set(
    killSwitches.flatMap((candidate) =>
      candidate.target.kind === 'tool' &&
      candidate.target.serverId === serverId &&
      !hasLapsed(candidate, nowMs)
        ? [candidate.target.tool]
        : [],
    ),
  );

/** The lists of an answer without the tools that are switched off. */
export const hideSwitchedTools = (
  lists: readonly ListOrder[],
  { tenant, server, version }: Pick<Place, 'tenant' | 'server'> & { readonly version: ServerVersion },
  nowMs: number,
): readonly ListOrder[] => hideTools(lists, version, switchedTools(tenant, server.id, nowMs));
