// The weights of all replicas that are balanced by latency, from one look at the figures to the next.

import type { FigureBook } from '#xds-server/figures/figure-book.ts';
import { NO_WEIGHTS, nextWeights, type ReplicaWeights } from '#xds-server/figures/replica-weights.ts';
import type { WeightOf } from '#xds-server/translate/endpoints.ts';

export type Weigher = {
  readonly weightOf: WeightOf;
  /** Looks at the figures; true if any weight has moved. */
  look(nowMs: number): boolean;
};

/** A weigher that knows nothing yet. Clusters the book forgets are forgotten here too. */
export const createWeigher = (book: FigureBook): Weigher => {
  let states: ReadonlyMap<string, ReplicaWeights> = new Map();
  return {
    weightOf: (cluster, address) => states.get(cluster)?.weights.get(address),
    look: (nowMs) => {
      const before = states;
      states = new Map(
        book.withReplicas().map((cluster) => {
          const known = before.get(cluster) ?? NO_WEIGHTS;
          return [cluster, nextWeights(known, book.replicas(cluster, nowMs), nowMs)] as const;
        }),
      );
      return [...states].some(([cluster, state]) => state !== (before.get(cluster) ?? NO_WEIGHTS));
    },
  };
};
