// When the registry last said that a copy is its newest. Told as a moment of the wall clock, because copies and processes
// have no other clock in common; watched by a second one, so that a clock that is set back makes nothing young.

/** Smaller steps are a clock being put right little by little, milliseconds; an age may be wrong by that much. */
const TOLERATED_MS = 1_000;

export type Clocks = {
  /** Milliseconds since the epoch. */
  readonly wallMs: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonicMs: () => number;
};

const CLOCKS: Clocks = { wallMs: Date.now, monotonicMs: () => performance.now() };

export type Freshness = {
  /** It is current now. */
  confirm(): void;
  /** It was at that moment, which an earlier process wrote down. */
  restore(atMs: number): void;
  /**
   * The moment, by the wall clock as it is set now; 0 for never. Where the two clocks disagree the greater age counts: one
   * that was set forward may as well be a machine that slept.
   */
  atMs(): number;
};

/** Never, so far. */
export const createFreshness = ({ wallMs, monotonicMs }: Clocks = CLOCKS): Freshness => {
  let stamp = { atMs: 0, offsetMs: 0 };
  const offsetMs = (): number => wallMs() - monotonicMs();
  return {
    confirm: () => {
      stamp = { atMs: wallMs(), offsetMs: offsetMs() };
    },
    restore: (atMs) => {
      stamp = { atMs, offsetMs: offsetMs() };
    },
    atMs: () => {
      if (stamp.atMs === 0) return 0;
      const setBackMs = stamp.offsetMs - offsetMs();
      return setBackMs > TOLERATED_MS ? stamp.atMs - setBackMs : stamp.atMs;
    },
  };
};
