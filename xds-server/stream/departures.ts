// Envoys that were here and are no more: their absence is what an operator looks for. Kept for an hour, and bounded, since
// a node's id is its own word.

import type { GoneNode } from '#core/feed-message.ts';

const KEEP_MS = 3_600_000;

/** More than this is no fleet that shrinks but one that comes and goes under new names. */
const MAX_GONE = 500;

export type Departures = {
  /** @param node as it was. */
  left(node: Omit<GoneNode, 'since'>): void;
  /** It is here again. */
  returned(nodeId: string): void;
  /** Latest first. */
  list(): readonly GoneNode[];
};

/** Nobody has left yet. */
export const createDepartures = (nowMs: () => number): Departures => {
  /** In the order they left. */
  const gone = new Map<string, GoneNode>();
  const forgetOld = (): void => {
    for (const [nodeId, { since }] of gone) {
      if (gone.size <= MAX_GONE && nowMs() - Date.parse(since) <= KEEP_MS) return;
      gone.delete(nodeId);
    }
  };
  return {
    left: ({ nodeId, acknowledgedSequence, about }) => {
      gone.delete(nodeId);
      gone.set(nodeId, { nodeId, since: new Date(nowMs()).toISOString(), acknowledgedSequence, about });
      forgetOld();
    },
    returned: (nodeId) => void gone.delete(nodeId),
    list: () => {
      forgetOld();
      return [...gone.values()].toReversed();
    },
  };
};
