// Which events this process has heard. The feed repeats those behind the position of a copy, and that stands still
// while a tenant cannot be understood: without a memory every new connection would end the same streams again.

/** As many as an operator announces in an hour, which is how long the registry repeats them. */
const MAX_SEEN = 10_000;

/** @returns a function that is true the first time it is given an id; the oldest ids are forgotten. */
export const createSeenEvents = (): ((id: string) => boolean) => {
  const seen = new Set<string>();
  return (id) => {
    if (seen.has(id)) return false;
    seen.add(id);
    const [oldest] = seen;
    if (seen.size > MAX_SEEN && oldest !== undefined) seen.delete(oldest);
    return true;
  };
};
