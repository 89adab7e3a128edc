// Questions to others that are under way, by whom they are put to: beyond a bound they are refused at once, where a queue
// would have everybody wait for seconds.

export type OpenQuestions = {
  /** Does the work, or yields undefined at once where `limit` questions of this key are under way. */
  run<T>(key: string, work: () => Promise<T>): Promise<T | undefined>;
};

/** @param limit questions of one key at a time. */
export const createOpenQuestions = (limit: number): OpenQuestions => {
  const open = new Map<string, number>();
  return {
    run: async <T>(key: string, work: () => Promise<T>): Promise<T | undefined> => {
      const count = open.get(key) ?? 0;
      if (count >= limit) return undefined;
      open.set(key, count + 1);
      try {
        return await work();
      } finally {
        const left = (open.get(key) ?? 1) - 1;
        if (left === 0) open.delete(key);
        else open.set(key, left);
      }
    },
  };
};
