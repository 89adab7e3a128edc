// Purges that shared state could not be told of because it was away: they are told as soon as it answers again.

import { LRUCache } from 'lru-cache';
import type { Result } from '#core/result.ts';

/** People who are purged while shared state is away. */
const MAX_OWED = 10_000;

export type OwedPurges = {
  owe(owner: string, markMs: number): void;
  /** Shared state has just answered; what is owed is told beside the call, a purge at a time. */
  settle(): void;
};

export const createOwedPurges = (
  tell: (owner: string, markMs: number) => Promise<Result<true, unknown>>,
): OwedPurges => {
  const owed = new LRUCache<string, number>({ max: MAX_OWED });
  let isSettling = false;

  const settleAll = async (): Promise<void> => {
    isSettling = true;
    for (const [owner, markMs] of [...owed.entries()]) {
      const told = await tell(owner, markMs);
      if (!told.ok) break;
      if (owed.get(owner) === markMs) owed.delete(owner);
    }
    isSettling = false;
  };
  return {
    owe: (owner, markMs) => void owed.set(owner, markMs),
    settle: () => {
      if (owed.size > 0 && !isSettling) void settleAll();
    },
  };
};
