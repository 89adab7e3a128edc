// A clock that was set back makes what was noted before lie in the future: it would stay good for as long as the clock lags.
// Pure.

/** Calls that run side by side read the clock seconds apart; more than this is a clock that was set. */
const TOLERATED_SECONDS = 60;

/** Whether what was noted at `notedAt` was noted before the clock was set back to now; seconds since the epoch, both. */
export const wasSetBack = (notedAt: number, nowSeconds: number): boolean =>
  notedAt > nowSeconds + TOLERATED_SECONDS;
