// Rows that more than one group has: how many a second, and what one of them costs.

import { type BenchRow, read } from '#test/bench/core/row.ts';

type Pair = readonly [ours: string, peer: string];

/** @param unit e.g. `checks/s`, of the contenders' figure `perSecond`. */
export const perSecondRow =
  (unit: string) =>
  (id: string, title: string, [ours, peer]: Pair, atLeast?: number): BenchRow => ({
    id,
    title,
    needs: [ours, peer],
    unit,
    ours: read(ours, 'perSecond'),
    peer: read(peer, 'perSecond'),
    ...(atLeast === undefined ? {} : { target: { atLeast } }),
  });

/** Processor time, microseconds, of the contenders' figure `cpuUs`. @param what e.g. `check`. */
export const cpuRow =
  (what: string) =>
  (id: string, [ours, peer]: Pair): BenchRow => ({
    id,
    title: `CPU of a ${what} ÷ ${peer}`,
    needs: [ours, peer],
    unit: 'µs',
    ours: read(ours, 'cpuUs'),
    peer: read(peer, 'cpuUs'),
  });
