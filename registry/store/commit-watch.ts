// Who is told of a commit: its own process at once, this one of another's within a quarter of a second, or sooner where
// the database says so.

/** How often the database is asked whether somebody else has committed, milliseconds. */
const POLL_INTERVAL_MS = 250;

export type CommitWatch = {
  onCommit(listener: () => void): () => void;
  /** Everything up to `sequence` has been committed. Listeners hear of each sequence once. */
  committed(sequence: number): void;
  /** Looks now instead of in a while. */
  look(): void;
  stop(): void;
};

/** Watches from `start` on. A database that cannot be read is asked again; that it cannot is for others to say. */
export const createCommitWatch = (start: number, readSequence: () => Promise<number>): CommitWatch => {
  const listeners = new Set<() => void>();
  let seen = start;
  let looking = false;
  const committed = (sequence: number): void => {
    if (sequence <= seen) return;
    seen = sequence;
    for (const listener of listeners) listener();
  };
  const look = (): void => {
    if (looking) return;
    looking = true;
    readSequence()
      .then(committed, () => undefined)
      .finally(() => {
        looking = false;
      });
  };
  const timer = setInterval(look, POLL_INTERVAL_MS).unref();
  return {
    onCommit: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    committed,
    look,
    stop: () => clearInterval(timer),
  };
};
