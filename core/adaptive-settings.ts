// Bounds within which the control plane moves a server's time limit, retries and back-off by what Envoys measure of
// its upstreams. The owner says how far; how fast and by what is for xds-server/adaptive.

/** Per cent. */
export type RetryBudget = { readonly min: number; readonly max: number };

export type AdaptiveSettings = {
  /** How long the first byte of an answer may take; absent: no limit. What has begun to answer is never cut. */
  readonly timeout?: { readonly minMs: number; readonly maxMs: number };
  /** Of calls that may be tried again at all. */
  readonly retries?: {
    /** Attempts after the first, at most. */
    readonly max: number;
    /** Share of a version's calls and streams in flight that may be retries: the one or the other, nothing in between. */
    readonly budgetPercent: RetryBudget;
  };
  /** Pause before the first retry; later ones wait longer, with jitter. */
  readonly backoff?: { readonly baseMs: { readonly min: number; readonly max: number } };
};
