// How much all answers together hold back in memory. Each has a cap of its own; this is the cap of the process, so that
// many slow answers at once cannot exhaust it.

export type HeldBytesShare = {
  /**
   * Sets what this answer holds now.
   * @returns false if all answers together exceed the cap because of it: this one has to go.
   */
  set(bytes: number): boolean;
};

export type HeldBytes = { open(): HeldBytesShare };

/** @param onChange hears the new total. */
export const createHeldBytes = (maxBytes: number, onChange: (total: number) => void): HeldBytes => {
  let total = 0;
  return {
    open: () => {
      let mine = 0;
      return {
        set: (bytes) => {
          const grows = bytes > mine;
          if (bytes === mine) return true;
          total += bytes - mine;
          mine = bytes;
          onChange(total);
          return !grows || total <= maxBytes;
        },
      };
    },
  };
};
