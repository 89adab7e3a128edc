// How the pace of a cluster is asked for by those who translate it.

import type { Pace } from '#core/pace.ts';

/** The pace of a cluster; undefined: its server has no adaptive bounds. The same value for as long as nothing moved. */
export type PaceOf = (cluster: string) => Pace | undefined;
