// Which version of a server a call is judged by and sent to, and why that one. The order is fixed: the session's own,
// a tester's, the shares of the tool, the shares of the server. Pure: the same call at the same moment comes to the same
// version in every process.

import { type Deny, deny } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { CallSession } from '#core/sealed-session.ts';
import { findVersion, type McpServer, type ServerVersion } from '#core/server.ts';
import { sharesAt, type TrafficSplit, type VersionWeight } from '#core/traffic-split.ts';
import type { Place } from '#ext-authz/locate.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { versionOfSession } from '#ext-authz/session/open-call-session.ts';
import { findTester } from '#ext-authz/version/find-tester.ts';
import { pickByWeight } from '#ext-authz/version/pick-by-weight.ts';

/** Why a version was chosen; a word of the decision log and of the audit. */
export type VersionChoice = 'session' | 'tester' | 'tool-weights' | 'weights' | 'active';

export type ChosenVersion = { readonly version: ServerVersion; readonly because: VersionChoice };

export type VersionFacts = {
  readonly place: Place;
  readonly identity: Identity;
  readonly call: McpCall;
  readonly headers: HttpRequest['headers'];
  readonly session: CallSession | undefined;
  /** Wall clock, milliseconds since the epoch: steps of a split go by it. */
  readonly nowMs: number;
};

type Choice = { readonly name: string | undefined; readonly because: VersionChoice };

/** Shares of one tool if it has any, with the key that gives it callers of its own; else those of the server. */
const sharesOf = (split: TrafficSplit, { call, nowMs }: VersionFacts) => {
  const { weights, tools } = sharesAt(split, nowMs);
  const called = call.targets.find(({ kind }) => kind === 'tool')?.name;
  const own = tools.find(({ tool }) => tool === called);
  return own === undefined
    ? { weights, key: [], because: 'weights' as const }
    : { weights: own.weights, key: [own.tool], because: 'tool-weights' as const };
};

/** What is withdrawn gets no call, whatever else a split says. */
const inService = (split: TrafficSplit, weights: readonly VersionWeight[]): readonly VersionWeight[] =>
  weights.filter(({ version }) => !split.withdrawn.includes(version));

const chooseBySplit = (split: TrafficSplit, facts: VersionFacts): Choice => {
  const { place, identity, headers } = facts;
  const tester = findTester(split, identity, headers);
  if (tester !== undefined) return { name: tester.version, because: 'tester' };
  const { weights, key, because } = sharesOf(split, facts);
  const caller = [place.tenant.id, place.server.id, identity.principal, ...key];
  return { name: pickByWeight(inService(split, weights), caller), because };
};

const choose = ({ traffic, activeVersion }: McpServer, facts: VersionFacts): Choice =>
  traffic === undefined ? { name: activeVersion, because: 'active' } : chooseBySplit(traffic, facts);

/**
 * The version of a call. One principal gets one version of a server for all calls that no share of a tool and no
 * session decides: what a list shows is what its calls meet.
 * @returns it; version_unavailable where there is none; session_unknown where the session's own is gone or withdrawn.
 */
export const chooseVersion = (facts: VersionFacts): Result<ChosenVersion, Deny> => {
  const { server } = facts.place;
  if (facts.session !== undefined) {
    const own = versionOfSession(server, facts.session);
    return own.ok ? ok({ version: own.value, because: 'session' }) : own;
  }
  const { name = '', because } = choose(server, facts);
  const version = findVersion(server, name);
  return version === undefined ? err(deny('version_unavailable')) : ok({ version, because });
};
