// The answer to `/readyz`: ready once there is something to tell, whether the registry is there or not.

import type { EnvoyNodeStatus } from '#core/feed-message.ts';
import type { Readiness } from '#runtime/ops-server.ts';
import type { Publisher } from '#xds-server/publisher.ts';

/** What is read of the feed's state. */
export type FeedFacts = {
  readonly source: string;
  readonly connected: boolean;
  /** ms since the epoch; 0 for never. */
  readonly freshAtMs: number;
};

/** Whether the registry itself has said that the snapshot is its newest, and would say if it were not. */
export const isCurrent = ({ source, connected }: Pick<FeedFacts, 'source' | 'connected'>): boolean =>
  connected && source === 'feed';

export const describeReadiness = (state: {
  readonly feed: FeedFacts;
  readonly publisher: Pick<Publisher, 'publishedSequence' | 'faults'>;
  readonly nodes: readonly EnvoyNodeStatus[];
  readonly nowMs: number;
}): Readiness => {
  const { feed, publisher, nodes, nowMs } = state;
  return {
    ready: publisher.publishedSequence() >= 0,
    facts: {
      sequence: publisher.publishedSequence(),
      source: feed.source,
      registryConnected: feed.connected,
      snapshotAgeSeconds: feed.freshAtMs === 0 ? null : Math.round((nowMs - feed.freshAtMs) / 1_000),
      envoys: nodes.map(({ nodeId, acknowledgedSequence, rejected }) => ({
        nodeId,
        acknowledgedSequence,
        rejected: rejected.length,
      })),
      untranslatedTenants: publisher.faults().map(({ tenantId }) => tenantId),
    },
  };
};
