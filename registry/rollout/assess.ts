// How far a revision has come: from what the consumers of the feed last reported to one document about one tenant.
// Pure: the clock is an argument. What Envoys refused of other tenants never gets in here.

import type { EnvoyNodeStatus } from '#core/feed-message.ts';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import { SILENCE_LIMIT_MS } from '#registry/feed/wire-message.ts';
import { type Attribution, attribute, type RevisionPlace } from '#registry/rollout/attribute.ts';

export type RolloutState = 'applied' | 'pending' | 'rejected';

/** What an Envoy refuses of the tenant. */
export type Refused = {
  readonly typeUrl: string;
  readonly resource: string;
  readonly message: string;
  readonly broughtBy: Attribution;
};

export type NodeRollout = {
  readonly nodeId: string;
  readonly acknowledgedSequence: number;
  readonly state: RolloutState;
  readonly rejected: readonly Refused[];
};

export type ConsumerRollout = {
  readonly consumer: string;
  readonly connected: boolean;
  /** Sequence it serves; null if it never said. */
  readonly sequence: number | null;
  readonly reportedAt: string | null;
  /** `absent`: away for so long that nobody waits for it. */
  readonly state: RolloutState | 'absent';
  readonly nodes: readonly NodeRollout[];
};

export type Rollout = { readonly state: RolloutState; readonly consumers: readonly ConsumerRollout[] };

const assessNode = (node: EnvoyNodeStatus, tenantId: string, place: RevisionPlace): NodeRollout => {
  const rejected = node.rejected
    .filter((refusal) => refusal.tenantId === tenantId)
    .map(({ typeUrl, resource, message, arrived }) => ({
      typeUrl,
      resource,
      message,
      broughtBy: attribute(arrived, place),
    }));
  const isRefused = rejected.some(({ broughtBy }) => broughtBy !== 'another-revision');
  const settled = node.acknowledgedSequence >= place.sequence ? 'applied' : 'pending';
  const { nodeId, acknowledgedSequence } = node;
  return { nodeId, acknowledgedSequence, state: isRefused ? 'rejected' : settled, rejected };
};

/** The worst of several: a refusal before a silence. */
const worst = (states: readonly RolloutState[]): RolloutState => {
  if (states.includes('rejected')) return 'rejected';
  return states.includes('pending') ? 'pending' : 'applied';
};

/** One that lost its connection a moment ago goes on serving what it had, and comes back: it is waited for. */
const isAbsent = ({ connected, since }: ConsumerEntry, nowMs: number): boolean =>
  !connected && nowMs - Date.parse(since) > SILENCE_LIMIT_MS;

export type RolloutQuestion = {
  readonly tenantId: string;
  readonly place: RevisionPlace;
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: number;
};

const stateOf = (
  entry: ConsumerEntry,
  nodes: readonly NodeRollout[],
  { tenantId, place, nowMs }: RolloutQuestion,
): ConsumerRollout['state'] => {
  if (isAbsent(entry, nowMs)) return 'absent';
  const { status } = entry;
  const hasIt =
    entry.connected &&
    status !== null &&
    status.sequence >= place.sequence &&
    status.untranslated?.includes(tenantId) !== true;
  return worst([hasIt ? 'applied' : 'pending', ...nodes.map(({ state }) => state)]);
};

const assessConsumer = (entry: ConsumerEntry, question: RolloutQuestion): ConsumerRollout => {
  const { consumer, connected, status, reportedAt } = entry;
  const { tenantId, place } = question;
  const nodes = (status?.nodes ?? []).map((node) => assessNode(node, tenantId, place));
  const state = stateOf(entry, nodes, question);
  return { consumer, connected, sequence: status?.sequence ?? null, reportedAt, state, nodes };
};

/** True if an Envoy that is connected may not have the revision yet. One that refuses it will not have it, and is not meant. */
export const envoysLack = ({ consumers }: Rollout): boolean =>
  consumers.some(
    ({ connected, nodes }) => connected && nodes.some(({ state: ofNode }) => ofNode === 'pending'),
  );

/**
 * `applied`: every consumer that counts serves the revision or a later one, and so does every Envoy behind them, of
 * which there is one at least: without an Envoy nothing is served. `rejected`: an Envoy refuses what the revision
 * brought.
 */
export const assessRollout = (entries: readonly ConsumerEntry[], question: RolloutQuestion): Rollout => {
  const consumers = entries.map((entry) => assessConsumer(entry, question));
  const counting = consumers.filter(({ state }) => state !== 'absent');
  const hasEnvoy = counting.some(({ nodes }) => nodes.length > 0);
  const states = counting.flatMap(({ state }) => (state === 'absent' ? [] : [state]));
  return { state: worst([...states, hasEnvoy ? 'applied' : 'pending']), consumers };
};
