// Every Envoy once, from what the xds-servers last reported of those connected to them and of those that left. Pure: the
// clock is an argument. Unlike a rollout it is not one tenant's: names and words of several stand side by side in it.

import type { EnvoyNodeFacts } from '#core/feed-message.ts';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';

/** How long an Envoy that is connected to nobody is listed, milliseconds; xds-server keeps it as long. */
const KEEP_MS = 3_600_000;

/** `unknown`: its xds-server is not on the feed; calls may well go through it. */
export type NodeState = 'connected' | 'gone' | 'unknown';

/** `rejected`: it refuses something that it is to have now, whatever else it has taken. */
export type ConfigState = 'in_sync' | 'pending' | 'rejected' | 'unknown';

export type FleetNode = {
  readonly id: string;
  readonly state: NodeState;
  /** RFC 3339: since when it is connected, gone or not known of; null if its xds-server does not say. */
  readonly since: string | null;
  /** Name on the feed of the xds-server it is, or was last, connected to. */
  readonly xdsServer: string;
  /** More than one: Envoys that share an id, or a connection that broke and is not known to. */
  readonly connections: number;
  readonly config: ConfigState;
  readonly acknowledgedSequence: number;
  /** Number of resources it refuses now. */
  readonly rejected: number;
} & Partial<Omit<EnvoyNodeFacts, 'connectedSince'>>;

const factsOf = (about: EnvoyNodeFacts | undefined): Partial<Omit<EnvoyNodeFacts, 'connectedSince'>> => {
  if (about === undefined) return {};
  const { connectedSince: _since, ...facts } = about;
  return facts;
};

const configOf = (
  node: { readonly acknowledgedSequence: number; readonly rejected: number },
  last: number,
) => {
  if (node.rejected > 0) return 'rejected';
  return node.acknowledgedSequence >= last ? 'in_sync' : 'pending';
};

/** `last`: sequence of the last commit. */
type Moment = { readonly last: number; readonly nowMs: number };

const presentIn = (entry: ConsumerEntry, { last }: Moment): readonly FleetNode[] =>
  (entry.status?.nodes ?? []).map(({ nodeId, acknowledgedSequence, rejected: { length }, about }) => {
    const facts = { acknowledgedSequence, rejected: length };
    return {
      id: nodeId,
      ...(entry.connected
        ? { state: 'connected', since: about?.connectedSince ?? null, config: configOf(facts, last) }
        : { state: 'unknown', since: entry.since, config: 'unknown' }),
      xdsServer: entry.consumer,
      connections: entry.connected ? 1 : 0,
      ...facts,
      ...factsOf(about),
    };
  });

const goneIn = ({ consumer, status }: ConsumerEntry): readonly FleetNode[] =>
  (status?.gone ?? []).map(({ nodeId, since, acknowledgedSequence, about }) => ({
    id: nodeId,
    state: 'gone',
    since,
    xdsServer: consumer,
    connections: 0,
    config: 'unknown',
    acknowledgedSequence,
    rejected: 0,
    ...factsOf(about),
  }));

const isListed = ({ state, since }: FleetNode, nowMs: number): boolean =>
  state === 'connected' || since === null || nowMs - Date.parse(since) <= KEEP_MS;

/** A connection before the loss of one, then what is newer. */
const isBetter = (a: FleetNode, b: FleetNode): boolean => {
  if ((a.state === 'connected') !== (b.state === 'connected')) return a.state === 'connected';
  return (a.since ?? '') > (b.since ?? '');
};

const merged = (a: FleetNode, b: FleetNode): FleetNode => ({
  ...(isBetter(b, a) ? b : a),
  connections: a.connections + b.connections,
});

/** Every Envoy that is connected to an xds-server, or was within the last hour; sorted by id. */
export const listFleet = (entries: readonly ConsumerEntry[], moment: Moment): readonly FleetNode[] => {
  const nodes = new Map<string, FleetNode>();
  for (const node of entries.flatMap((entry) => [...presentIn(entry, moment), ...goneIn(entry)])) {
    const known = nodes.get(node.id);
    if (isListed(node, moment.nowMs)) nodes.set(node.id, known === undefined ? node : merged(known, node));
  }
  return [...nodes.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
};
