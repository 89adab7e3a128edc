// Unit tests of shared-reads.ts.

import { describe, expect, it } from 'vitest';
import type { FeedBatch } from '#registry/feed/feed-source.ts';
import { shareReads } from '#registry/feed/shared-reads.ts';

const setUp = () => {
  const answers: ((upTo: number | Error) => void)[] = [];
  const reads = shareReads({
    readAfter: () =>
      new Promise<FeedBatch>((resolve, reject) => {
        answers.push((upTo) =>
          upTo instanceof Error ? reject(upTo) : resolve({ items: [], upTo, more: false }),
        );
      }),
  });
  return { reads, answers };
};

describe('shared reads', () => {
  it('are one for all who ask for the same', async () => {
    const { reads, answers } = setUp();
    const asked = [1, 2, 3].map(() => reads.readAfter(4, 32, 4));
    const other = reads.readAfter(5, 32, 4);
    expect(answers).toHaveLength(2);
    answers[0]?.(7);
    answers[1]?.(8);
    expect((await Promise.all([...asked, other])).map(({ upTo }) => upTo)).toEqual([7, 7, 7, 8]);
  });

  it('are not joined by those who ask after a commit', async () => {
    const { reads, answers } = setUp();
    const before = reads.readAfter(4, 32, 4);
    reads.forget();
    const after = reads.readAfter(4, 32, 4);
    answers[0]?.(4);
    expect((await before).upTo).toBe(4);
    const joined = reads.readAfter(4, 32, 4);
    answers[1]?.(5);
    expect([(await after).upTo, (await joined).upTo, answers.length]).toEqual([5, 5, 2]);
  });

  it('are begun again after one that failed', async () => {
    const { reads, answers } = setUp();
    const failed = reads.readAfter(4, 32, 4);
    answers[0]?.(new Error('disk'));
    await expect(failed).rejects.toThrow('disk');
    const again = reads.readAfter(4, 32, 4);
    answers[1]?.(5);
    expect((await again).upTo).toBe(5);
  });
});
