// The paces of all clusters with adaptive bounds, from one look at the figures to the next.

import type { CallFigures } from '#core/call-figures.ts';
import { type AdaptiveState, nextState, type Pauses } from '#xds-server/adaptive/controller.ts';
import type { Pace, PaceOf } from '#xds-server/adaptive/pace.ts';
import type { FigureBook } from '#xds-server/figures/figure-book.ts';

export type Move = {
  readonly cluster: string;
  /** Undefined: it was not known before. */
  readonly from: Pace | undefined;
  readonly to: Pace;
  /** What it was moved by. */
  readonly figures: CallFigures;
};

export type Governor = {
  readonly paceOf: PaceOf;
  /** Looks at the figures, and says what has moved and which clusters are not called or not bound any more. */
  look(nowMs: number): { readonly moves: readonly Move[]; readonly gone: readonly string[] };
};

/** A governor that knows nothing yet. Clusters the book forgets are forgotten here too. */
export const createGovernor = (book: FigureBook, pauses: Pauses): Governor => {
  let states: ReadonlyMap<string, AdaptiveState> = new Map();
  return {
    paceOf: (cluster) => states.get(cluster)?.pace,
    look: (nowMs) => {
      const before = states;
      const moves: Move[] = [];
      const after = new Map<string, AdaptiveState>();
      for (const { cluster, settings } of book.adaptive()) {
        const known = before.get(cluster);
        const figures = book.attempts(cluster, nowMs);
        if (figures === undefined) continue;
        const state = nextState(known, settings, figures, { nowMs, pauses });
        after.set(cluster, state);
        if (state !== known) moves.push({ cluster, from: known?.pace, to: state.pace, figures });
      }
      states = after;
      return { moves, gone: [...before.keys()].filter((cluster) => !after.has(cluster)) };
    },
  };
};
