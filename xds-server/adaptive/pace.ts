// What is in force of a server's adaptive bounds at the moment, for one of its versions. Absent: the server has no bounds
// for it, and what holds is what holds without.

export type Pace = {
  /** How long the first byte of an answer may take. */
  readonly timeoutMs?: number;
  /** Attempts after the first, of calls that may be repeated. */
  readonly retries?: number;
  /** Share of calls in flight that may be retries: the largest the owner allows, or the smallest. */
  readonly budgetPercent?: number;
  /** Pause before the first retry. */
  readonly backoffMs?: number;
};

/** The pace of a cluster; undefined: its server has no adaptive bounds. The same value for as long as nothing moved. */
export type PaceOf = (cluster: string) => Pace | undefined;
