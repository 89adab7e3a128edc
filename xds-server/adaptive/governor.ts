// The paces of all clusters with adaptive bounds, from one look at the figures to the next.

import type { CallFigures } from '#core/call-figures.ts';
import type { Pace } from '#core/pace.ts';
import { type AdaptiveState, nextState, type Pauses } from '#xds-server/adaptive/controller.ts';
import type { PaceOf } from '#xds-server/adaptive/pace-of.ts';
import type { FigureBook } from '#xds-server/figures/figure-book.ts';

export type Move = {
  readonly cluster: string;
  /** Undefined: it was not known before. */
  readonly from: Pace | undefined;
  readonly to: Pace;
  /** What it was moved by. */
  readonly figures: CallFigures;
};

export type Standing = {
  readonly cluster: string;
  readonly pace: Pace;
  /** Undefined: it is where it began. */
  readonly last: { readonly atMs: number; readonly figures: CallFigures } | undefined;
};

export type Governor = {
  readonly paceOf: PaceOf;
  /** Looks at the figures, and says what has moved and which clusters are not called or not bound any more. */
  look(nowMs: number): { readonly moves: readonly Move[]; readonly gone: readonly string[] };
  /** Where every cluster stands since the last look. */
  standings(): readonly Standing[];
};

type Entry = { readonly state: AdaptiveState; readonly last: Standing['last'] };

/** A governor that knows nothing yet. Clusters the book forgets are forgotten here too. */
export const createGovernor = (book: FigureBook, pauses: Pauses): Governor => {
  let entries: ReadonlyMap<string, Entry> = new Map();
  return {
    paceOf: (cluster) => entries.get(cluster)?.state.pace,
    look: (nowMs) => {
      const before = entries;
      const moves: Move[] = [];
      const after = new Map<string, Entry>();
      for (const { cluster, settings } of book.adaptive()) {
        const known = before.get(cluster);
        const figures = book.attempts(cluster, nowMs);
        if (figures === undefined) continue;
        const state = nextState(known?.state, settings, figures, { nowMs, pauses });
        const isMoved = state !== known?.state;
        after.set(cluster, {
          state,
          last: isMoved && known !== undefined ? { atMs: nowMs, figures } : known?.last,
        });
        if (isMoved) moves.push({ cluster, from: known?.state.pace, to: state.pace, figures });
      }
      entries = after;
      return { moves, gone: [...before.keys()].filter((cluster) => !after.has(cluster)) };
    },
    standings: () => [...entries].map(([cluster, { state, last }]) => ({ cluster, pace: state.pace, last })),
  };
};
