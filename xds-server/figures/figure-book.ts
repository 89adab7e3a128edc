// What has been seen of the upstreams that somebody wants to know about: windows of the last seconds for those who
// steer, sums since they were last taken for those who report. Of all others nothing is kept.

import type { CallFigures } from '#core/call-figures.ts';
import type { Observation } from '#xds-server/figures/observation.ts';
import { Tally, Window } from '#xds-server/figures/window.ts';

/** What is to be kept of one cluster. */
export type Interest = {
  /** What callers saw, to be taken and reported. */
  readonly calls: boolean;
  /** Every attempt, over the window. */
  readonly attempts: boolean;
  /** Every attempt by replica, over the window. */
  readonly replicas: boolean;
};

export type FigureBook = {
  /** @param nowMs of a clock that does not go back, here and below. */
  add(observation: Observation, nowMs: number): void;
  /** Interests may have changed: what nobody wants to know any more is forgotten. */
  reconsider(): void;
  /** What callers saw since this was last asked, of clusters with any call. */
  takeCalls(): readonly { readonly cluster: string; readonly figures: CallFigures }[];
  /** Undefined: nobody wants to know. */
  attempts(cluster: string, nowMs: number): CallFigures | undefined;
  /** Clusters whose replicas somebody wants to know about, and that were called. */
  withReplicas(): readonly string[];
  /** By address, of those tried within the window. */
  replicas(cluster: string, nowMs: number): ReadonlyMap<string, CallFigures>;
};

/** Replicas of one cluster that are told apart; a fleet beyond that has no slow replica but a slow service. */
const MAX_REPLICAS = 256;

/** What is absent is not kept. */
type Entry = { readonly calls?: Tally; readonly attempts?: Window; readonly replicas?: Map<string, Window> };

const entryOf = (interest: Interest, spanMs: number, before: Entry = {}): Entry => ({
  ...(interest.calls ? { calls: before.calls ?? new Tally() } : {}),
  ...(interest.attempts ? { attempts: before.attempts ?? new Window(spanMs) } : {}),
  ...(interest.replicas ? { replicas: before.replicas ?? new Map() } : {}),
});

const makeRoom = (replicas: Map<string, Window>, nowMs: number): boolean => {
  if (replicas.size < MAX_REPLICAS) return true;
  for (const [address, window] of replicas) if (window.isEmpty(nowMs)) replicas.delete(address);
  return replicas.size < MAX_REPLICAS;
};

/**
 * An empty book.
 * @param options.interestIn asked once for each cluster of ours that is called; undefined: it is none of ours.
 * @param options.spanMs length of the windows.
 */
export const createFigureBook = (options: {
  readonly interestIn: (cluster: string) => Interest | undefined;
  readonly spanMs: number;
}): FigureBook => {
  const { interestIn, spanMs } = options;
  const entries = new Map<string, Entry>();
  const called = new Set<string>();

  const find = (cluster: string): Entry | undefined => {
    const known = entries.get(cluster);
    const interest = known === undefined ? interestIn(cluster) : undefined;
    if (interest === undefined) return known;
    const entry = entryOf(interest, spanMs);
    entries.set(cluster, entry);
    return entry;
  };

  const windowOf = (replicas: Map<string, Window>, address: string, nowMs: number): Window | undefined => {
    const known = replicas.get(address);
    if (known !== undefined || !makeRoom(replicas, nowMs)) return known;
    const window = new Window(spanMs);
    replicas.set(address, window);
    return window;
  };

  return {
    add: (observation, nowMs) => {
      const { cluster, level, address } = observation;
      const entry = find(cluster);
      if (entry === undefined) return;
      if (level === 'attempt') {
        entry.attempts?.add(observation, nowMs);
        if (entry.replicas !== undefined && address !== '')
          windowOf(entry.replicas, address, nowMs)?.add(observation, nowMs);
      } else if (entry.calls !== undefined) {
        entry.calls.add(observation);
        called.add(cluster);
      }
    },
    reconsider: () => {
      for (const [cluster, entry] of entries) {
        const interest = interestIn(cluster);
        if (interest === undefined) entries.delete(cluster);
        else entries.set(cluster, entryOf(interest, spanMs, entry));
      }
    },
    takeCalls: () => {
      const taken = [...called].flatMap((cluster) => {
        const entry = entries.get(cluster);
        if (entry?.calls === undefined) return [];
        const figures = entry.calls.figures();
        entries.set(cluster, { ...entry, calls: new Tally() });
        return [{ cluster, figures }];
      });
      called.clear();
      return taken;
    },
    attempts: (cluster, nowMs) => entries.get(cluster)?.attempts?.figures(nowMs),
    withReplicas: () =>
      [...entries].filter(([, { replicas }]) => replicas !== undefined).map(([name]) => name),
    replicas: (cluster, nowMs) => {
      const windows = [...(entries.get(cluster)?.replicas ?? [])];
      const figures = windows.map(([address, window]) => [address, window.figures(nowMs)] as const);
      return new Map(figures.filter(([, { calls }]) => calls > 0));
    },
  };
};
