// After a commit all consumers stand at the same place and ask for the same: the store is read once for all of them.

import type { FeedBatch, FeedSource } from '#registry/feed/feed-source.ts';

export type SharedReads = Pick<FeedSource, 'readAfter'> & {
  /** Reads that are under way may not have seen what has been committed by now: nobody joins them any more. */
  forget(): void;
};

/** Joins reads that ask for the same while one of them is under way. Keeps nothing once it is answered. */
export const shareReads = (source: Pick<FeedSource, 'readAfter'>): SharedReads => {
  const underWay = new Map<string, Promise<FeedBatch>>();
  return {
    readAfter: (sequence, limit, known) => {
      const key = `${sequence} ${limit} ${known}`;
      const joined = underWay.get(key);
      if (joined !== undefined) return joined;
      const read = source.readAfter(sequence, limit, known).finally(() => {
        if (underWay.get(key) === read) underWay.delete(key);
      });
      underWay.set(key, read);
      return read;
    },
    forget: () => underWay.clear(),
  };
};
