// Looks at the figures of upstreams once a second: what they move is moved, what they add is reported. An hour without a
// call costs an hour of empty looks.

import type { VersionFigures } from '#core/call-figures.ts';
import type { VersionPace } from '#core/pace.ts';
import { EMPTY_SNAPSHOT, type Snapshot } from '#core/snapshot.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import { pausesFor } from '#xds-server/adaptive/controller.ts';
import { createGovernor } from '#xds-server/adaptive/governor.ts';
import type { PaceOf } from '#xds-server/adaptive/pace-of.ts';
import { FigureBook } from '#xds-server/figures/figure-book.ts';
import { interestIn } from '#xds-server/figures/interest.ts';
import type { Observation } from '#xds-server/figures/observation.ts';
import { createWeigher } from '#xds-server/figures/weigher.ts';
import { createMoveReporter } from '#xds-server/move-reporter.ts';
import { versionPaces } from '#xds-server/pace-report.ts';
import type { WeightOf } from '#xds-server/translate/endpoints.ts';
import { ownerOfCluster } from '#xds-server/translate/names.ts';

/** Envoys report as often. */
const LOOK_MS = 1_000;

/** All paces are told again when one has moved, but no more often: people read them. */
const TELL_PACES_MS = 5_000;

export type Steering = {
  /** There is a newer snapshot of the registry. */
  update(snapshot: Snapshot): void;
  /** Takes what an Envoy has seen of an upstream. */
  observe(observation: Observation): void;
  readonly weightOf: WeightOf;
  readonly paceOf: PaceOf;
  stop(): void;
};

/** Starts looking. Times are of the monotonic clock: the calendar may jump. */
export const startSteering = (options: {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What is published depends on something that has moved. */
  readonly onMoved: () => void;
  /** Calls counted since the last report, each in one report. */
  readonly report: (versions: readonly VersionFigures[]) => void;
  /** Where everything stands that has bounds, soon after something of it moved. */
  readonly reportPaces: (paces: readonly VersionPace[]) => void;
  /** How far back the figures reach that anything is moved by. */
  readonly windowMs: number;
}): Steering => {
  const { onMoved, report, reportPaces, windowMs } = options;
  let snapshot = EMPTY_SNAPSHOT;
  let considered = snapshot;
  const book = new FigureBook({ interestIn: (cluster) => interestIn(snapshot, cluster), spanMs: windowMs });
  const weigher = createWeigher(book);
  const governor = createGovernor(book, pausesFor(windowMs));
  const tellMoves = createMoveReporter(options.logger, options.metrics);

  let isToTell = false;
  let toldAtMs = -TELL_PACES_MS;
  const tellPaces = (nowMs: number): void => {
    if (!isToTell || nowMs - toldAtMs < TELL_PACES_MS) return;
    isToTell = false;
    toldAtMs = nowMs;
    reportPaces(versionPaces(governor.standings(), Date.now() - nowMs));
  };

  const look = (): void => {
    const nowMs = performance.now();
    if (considered !== snapshot) book.reconsider();
    considered = snapshot;
    const paces = governor.look(nowMs);
    tellMoves(paces);
    isToTell ||= paces.moves.length > 0 || paces.gone.length > 0;
    tellPaces(nowMs);
    // Both look, whatever the other found.
    if (weigher.look(nowMs) || paces.moves.length > 0) onMoved();
    const versions = book.takeCalls().flatMap(({ cluster, figures }) => {
      const owner = ownerOfCluster(cluster);
      return owner === undefined ? [] : [{ ...owner, figures }];
    });
    if (versions.length > 0) report(versions);
  };

  const timer = setInterval(look, LOOK_MS).unref();
  return {
    update: (next) => {
      snapshot = next;
    },
    observe: (observation) => book.add(observation, performance.now()),
    weightOf: weigher.weightOf,
    paceOf: governor.paceOf,
    stop: () => clearInterval(timer),
  };
};
