// Twenty seconds of the soak (`npm run soak:token` runs longer, with bad luck): three processes with Redis, and one alone.

import { beforeAll, describe, expect, it } from 'vitest';
import { runTokenSoak, type SoakFigures } from '#test/soak/token-soak.ts';

const SECONDS = 20;

/** Twice the life of a token and more: each key has been renewed at least twice. */
const MIN_EXCHANGES_OF_KEY = 3;

const soaks = [
  { title: 'three processes that share a Redis', processes: 3 },
  { title: 'one process that shares nothing', processes: 1 },
];
let figures: readonly SoakFigures[] = [];

beforeAll(async () => {
  figures = await Promise.all(
    soaks.map(({ processes }) => runTokenSoak({ seconds: SECONDS, processes, hasBadLuck: false })),
  );
}, 90_000);

describe.each(soaks.map(({ title }, index) => ({ title, index })))(
  'tokens of eight seconds, used all the time by $title',
  ({ index }) => {
    const seen = (): SoakFigures => {
      const found = figures[index];
      if (found === undefined) throw new Error('the soak did not run');
      return found;
    };

    it('arrive before their end with every call, and none is refused', () => {
      const { oracle, calls, refused } = seen();
      expect(oracle).toMatchObject({ accepted: calls, expired: 0, wrong: 0 });
      expect(refused).toEqual({});
      expect(calls).toBeGreaterThan(500);
    });

    it('are asked for once a life, and never twice at once', () => {
      const { provider, exchangesPerLife } = seen();
      expect(provider.overlapping).toBe(0);
      expect(provider.exchanges).toBeGreaterThanOrEqual(MIN_EXCHANGES_OF_KEY * provider.keys);
      expect(exchangesPerLife).toBeLessThanOrEqual(1.05);
    });
  },
);
