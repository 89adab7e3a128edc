// What the governor moves, for operators: a log line for each move, and gauges of what is in force.

import type { Pace } from '#core/pace.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Gauge, Metrics } from '#runtime/metrics.ts';
import type { Governor, Move } from '#xds-server/adaptive/governor.ts';
import { measuredIn } from '#xds-server/pace-report.ts';

export type MoveReporter = (look: ReturnType<Governor['look']>) => void;

const createGauges = (metrics: Metrics) => {
  const gauge = (name: string, help: string) => metrics.gauge(name, help, ['cluster']);
  return {
    timeoutMs: gauge('adaptive_timeout_ms', 'Time limit for the first byte of an answer, milliseconds.'),
    retries: gauge('adaptive_retries', 'Attempts after the first.'),
    budgetPercent: gauge('adaptive_retry_budget_percent', 'Share of calls in flight that may be retries.'),
    backoffMs: gauge('adaptive_backoff_ms', 'Pause before the first retry, milliseconds.'),
  } satisfies Record<keyof Pace, Gauge<'cluster'>>;
};

type Gauges = ReturnType<typeof createGauges>;

const FIELDS = [
  'timeoutMs',
  'retries',
  'budgetPercent',
  'backoffMs',
] as const satisfies readonly (keyof Pace)[];

/** What is not in force has no gauge. */
const show = (gauges: Gauges, cluster: string, pace: Pace): void => {
  for (const field of FIELDS) {
    const value = pace[field];
    if (value === undefined) gauges[field].remove({ cluster });
    else gauges[field].set({ cluster }, value);
  }
};

const factsOf = ({ cluster, from, to, figures }: Move): object => ({
  cluster,
  from,
  to,
  ...measuredIn(figures),
});

/** A reporter; labels are clusters of servers with adaptive bounds that were called, and go with them. */
export const createMoveReporter = (logger: Logger, metrics: Metrics): MoveReporter => {
  const gauges = createGauges(metrics);
  const count = metrics.counter('adaptive_moves_total', 'Moves of time limits, retries and back-off.', [
    'cluster',
  ]);
  return ({ moves, gone }) => {
    for (const cluster of gone) {
      show(gauges, cluster, {});
      count.remove({ cluster });
    }
    for (const move of moves) {
      show(gauges, move.cluster, move.to);
      // Where it begins is no move.
      if (move.from === undefined) continue;
      count.inc({ cluster: move.cluster });
      logger.info(factsOf(move), 'pace moved');
    }
  };
};
