// What is in force of a server's adaptive bounds (adaptive-settings.ts) at the moment, for one of its versions, and how it
// came to that. Kept by whoever measures; everybody else is only told.

/** Absent: the server has no bounds for it, and what holds is what holds without. */
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

/** The move that led to a pace, and what it was moved by. */
export type LastMove = {
  /** RFC 3339. */
  readonly at: string;
  /** Within the window. */
  readonly attempts: number;
  /** 0 to 1. */
  readonly errorRate: number;
  /** Of answers, by time to their first byte; absent: none was timed, or it is beyond what is told apart. */
  readonly p99Ms?: number;
};

/** Of a version that is called, at one xds-server. */
export type VersionPace = {
  readonly tenantId: string;
  readonly serverId: string;
  readonly version: string;
  readonly pace: Pace;
  /** Absent: it is where it began. */
  readonly lastMove?: LastMove;
};
