// What has been seen of the upstreams that somebody wants to know about: windows of the last seconds for those who
// steer, sums since they were last taken for those who report. Of all others nothing is kept.

import type { AdaptiveSettings } from '#core/adaptive-settings.ts';
import type { CallFigures } from '#core/call-figures.ts';
import type { Observation } from '#xds-server/figures/observation.ts';
import { Tally, Window } from '#xds-server/figures/window.ts';

/** What is to be kept of one cluster. */
export type Interest = {
  /** What callers saw, to be taken and reported. */
  readonly calls: boolean;
  /** Every attempt, over the window, to move what these bounds allow. */
  readonly adaptive?: AdaptiveSettings;
  /** Every attempt by replica, over the window. */
  readonly replicas: boolean;
};

/** Replicas of one cluster that are told apart; a fleet beyond that has no slow replica but a slow service. */
const MAX_REPLICAS = 256;

/** What is absent is not kept. */
type Entry = {
  readonly calls?: Tally;
  readonly adaptive?: { readonly settings: AdaptiveSettings; readonly attempts: Window };
  readonly replicas?: Map<string, Window>;
};

const entryOf = (interest: Interest, spanMs: number, before: Entry = {}): Entry => ({
  ...(interest.calls ? { calls: before.calls ?? new Tally() } : {}),
  ...(interest.adaptive === undefined
    ? {}
    : {
        adaptive: {
          settings: interest.adaptive,
          attempts: before.adaptive?.attempts ?? new Window(spanMs),
        },
      }),
  ...(interest.replicas ? { replicas: before.replicas ?? new Map() } : {}),
});

const makeRoom = (replicas: Map<string, Window>, nowMs: number): boolean => {
  if (replicas.size < MAX_REPLICAS) return true;
  for (const [address, window] of replicas) if (window.isEmpty(nowMs)) replicas.delete(address);
  return replicas.size < MAX_REPLICAS;
};

export class FigureBook {
  readonly #interestIn: (cluster: string) => Interest | undefined;
  readonly #spanMs: number;
  readonly #entries = new Map<string, Entry>();
  readonly #called = new Set<string>();

  /**
   * An empty book.
   * @param options.interestIn asked once for each cluster of ours that is called; undefined: it is none of ours.
   * @param options.spanMs length of the windows.
   */
  constructor(options: {
    readonly interestIn: (cluster: string) => Interest | undefined;
    readonly spanMs: number;
  }) {
    this.#interestIn = options.interestIn;
    this.#spanMs = options.spanMs;
  }

  /** @param nowMs of a clock that does not go back, here and below. */
  add(observation: Observation, nowMs: number): void {
    const { cluster, level } = observation;
    const entry = this.#find(cluster);
    if (entry === undefined) return;
    if (level === 'attempt') this.#addAttempt(entry, observation, nowMs);
    else if (entry.calls !== undefined) {
      entry.calls.add(observation);
      this.#called.add(cluster);
    }
  }

  /** Interests may have changed: what nobody wants to know any more is forgotten. */
  reconsider(): void {
    for (const [cluster, entry] of this.#entries) {
      const interest = this.#interestIn(cluster);
      if (interest === undefined) this.#entries.delete(cluster);
      else this.#entries.set(cluster, entryOf(interest, this.#spanMs, entry));
    }
  }

  /** What callers saw since this was last asked, of clusters with any call. */
  takeCalls(): readonly { readonly cluster: string; readonly figures: CallFigures }[] {
    const taken = [...this.#called].flatMap((cluster) => {
      const entry = this.#entries.get(cluster);
      if (entry?.calls === undefined) return [];
      this.#entries.set(cluster, { ...entry, calls: new Tally() });
      return [{ cluster, figures: entry.calls.figures() }];
    });
    this.#called.clear();
    return taken;
  }

  /** Clusters with adaptive bounds that were called. */
  adaptive(): readonly { readonly cluster: string; readonly settings: AdaptiveSettings }[] {
    return [...this.#entries].flatMap(([cluster, { adaptive }]) =>
      adaptive === undefined ? [] : [{ cluster, settings: adaptive.settings }],
    );
  }

  /** Undefined: it has no adaptive bounds, or was not called. */
  attempts(cluster: string, nowMs: number): CallFigures | undefined {
    return this.#entries.get(cluster)?.adaptive?.attempts.figures(nowMs);
  }

  /** Clusters whose replicas somebody wants to know about, and that were called. */
  withReplicas(): readonly string[] {
    return [...this.#entries]
      .filter(([, { replicas }]) => replicas !== undefined)
      .map(([cluster]) => cluster);
  }

  /** By address, of those tried within the window. */
  replicas(cluster: string, nowMs: number): ReadonlyMap<string, CallFigures> {
    const windows = [...(this.#entries.get(cluster)?.replicas ?? [])];
    const figures = windows.map(([address, window]) => [address, window.figures(nowMs)] as const);
    return new Map(figures.filter(([, { calls }]) => calls > 0));
  }

  #find(cluster: string): Entry | undefined {
    const known = this.#entries.get(cluster);
    const interest = known === undefined ? this.#interestIn(cluster) : undefined;
    if (interest === undefined) return known;
    const entry = entryOf(interest, this.#spanMs);
    this.#entries.set(cluster, entry);
    return entry;
  }

  #addAttempt({ adaptive, replicas }: Entry, observation: Observation, nowMs: number): void {
    const { address } = observation;
    adaptive?.attempts.add(observation, nowMs);
    if (replicas === undefined || address === '') return;
    const known = replicas.get(address);
    if (known === undefined && !makeRoom(replicas, nowMs)) return;
    const window = known ?? new Window(this.#spanMs);
    replicas.set(address, window);
    window.add(observation, nowMs);
  }
}
