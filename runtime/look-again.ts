// Looks at something again and again, one look at a time: two at once could finish in the wrong order. For files, it
// works on every kind of volume; file events do not.

/** @returns what ends it. `look` must not reject. */
export const lookAgain = (look: () => Promise<void>, everyMs: number): (() => void) => {
  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  }, everyMs).unref();
  return () => clearInterval(timer);
};
