// What the response guard makes of tools that drift beside showing them or not: metrics, a line of log for each change,
// and a report to the registry, which keeps it and has calls refused.

import type { DriftMode } from '#core/response-guard.ts';
import type { DriftReporter, DriftSighting } from '#core/tool-drift.ts';
import type { ComparedTool } from '#ext-proc/pins/judge-tool.ts';
import type { ReplicaPlace } from '#ext-proc/pins/replica-memory.ts';
import { createReportQueue } from '#ext-proc/pins/report-queue.ts';
import { createSightings, type News, type SightingsOptions } from '#ext-proc/pins/sightings.ts';
import { differingMembers } from '#ext-proc/pins/tell-changes.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

/** The tools of one list. */
export type WatchedList = {
  readonly tools: readonly ComparedTool[];
  /** Entries that said more than a manifest can pin. */
  readonly stripped: number;
  readonly mode: DriftMode;
};

export type DriftWatch = {
  /** Never waits, never throws. */
  saw(
    place: Omit<ReplicaPlace, 'replica'> & { readonly replica: string | undefined },
    list: WatchedList,
  ): void;
  /** Forgets versions that are served no more. */
  retain(isServed: (place: ReplicaPlace) => boolean): void;
  stop(): void;
};

export type DriftWatchOptions = Pick<SightingsOptions, 'known'> & {
  readonly reporter: DriftReporter;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly nowMs: () => number;
};

const createInstruments = (metrics: Metrics) => ({
  drifted: metrics.counter(
    'ext_proc_tool_drift_total',
    'Tools in lists that a server described in other words than were approved',
    ['tenant', 'mode'],
  ),
  stripped: metrics.counter(
    'ext_proc_tool_members_removed_total',
    'Tools in lists that were shown without members that no manifest can pin',
    ['tenant'],
  ),
  reported: metrics.counter('ext_proc_drift_sightings_total', 'Sightings of drift by what became of them', [
    'outcome',
  ]),
});

const write = (logger: Logger, { sighting }: News): void => {
  const { tenantId, serverId, version, tool, replica, digest, changes } = sighting;
  const ids = { tenant: tenantId, server: serverId, version, tool, replica };
  if (digest === undefined) logger.info(ids, 'tool is as approved again');
  else
    logger.warn(
      { ...ids, digest, members: differingMembers(changes) },
      'tool differs from what was approved',
    );
};

/** Registers its metrics, once per `metrics`. */
export const createDriftWatch = (options: DriftWatchOptions): DriftWatch => {
  const { metrics, logger, nowMs, reporter, known } = options;
  const instruments = createInstruments(metrics);
  const sightings = createSightings({ known });
  metrics.reading('ext_proc_tools_drifting', 'Tools of replicas that drift by what was last seen', () =>
    sightings.drifting(),
  );
  const lose = (lost: readonly DriftSighting[], error: string): void => {
    sightings.lost(lost);
    instruments.reported.inc({ outcome: 'lost' }, lost.length);
    logger.error({ sightings: lost.length, error }, 'sightings of drift did not reach the registry');
  };
  const queue = createReportQueue({
    reporter,
    kept: (kept) => {
      sightings.kept(kept);
      instruments.reported.inc({ outcome: 'kept' }, kept.length);
    },
    lost: lose,
  });
  const tell = (news: readonly News[]): void => {
    for (const item of news) if (item.isChange) write(logger, item);
    const refused = news.map(({ sighting }) => sighting).filter((sighting) => !queue.offer(sighting));
    if (refused.length > 0) lose(refused, 'too many wait for it');
  };
  return {
    saw: ({ replica, ...version }, { tools, stripped, mode }) => {
      const tenant = version.tenantId;
      const drifted = tools.filter(({ served }) => served !== undefined).length;
      if (drifted > 0) instruments.drifted.inc({ tenant, mode }, drifted);
      if (stripped > 0) instruments.stripped.inc({ tenant }, stripped);
      if (replica !== undefined) tell(sightings.take({ ...version, replica }, tools, nowMs()));
    },
    retain: sightings.retain,
    stop: queue.stop,
  };
};
