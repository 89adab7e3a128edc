// Where the governor's clusters stand, in the words of the registry: by tenant, server and version, with times of the
// calendar. Pure.

import { type CallFigures, errorRate, latencyPercentile } from '#core/call-figures.ts';
import type { LastMove, VersionPace } from '#core/pace.ts';
import type { Standing } from '#xds-server/adaptive/governor.ts';
import { ownerOfCluster } from '#xds-server/translate/names.ts';

/** What a pace was moved by. */
export const measuredIn = (figures: CallFigures): Omit<LastMove, 'at'> => {
  const p99Ms = latencyPercentile(figures, 0.99);
  return {
    attempts: figures.calls,
    errorRate: errorRate(figures),
    ...(p99Ms === undefined || !Number.isFinite(p99Ms) ? {} : { p99Ms }),
  };
};

/** @param startMs what the calendar says where the clock of the standings is 0. */
export const versionPaces = (standings: readonly Standing[], startMs: number): readonly VersionPace[] =>
  standings.flatMap(({ cluster, pace, last }) => {
    const owner = ownerOfCluster(cluster);
    if (owner === undefined) return [];
    const lastMove = last && { at: new Date(startMs + last.atMs).toISOString(), ...measuredIn(last.figures) };
    return [{ ...owner, pace, ...(lastMove === undefined ? {} : { lastMove }) }];
  });
