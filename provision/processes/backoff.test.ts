import { expect, it } from 'vitest';
import { nextWait } from '#provision/processes/backoff.ts';

it('waits longer after each early end, up to a bound', () => {
  const waits: number[] = [];
  let wait = 0;
  for (let end = 0; end < 8; end += 1) {
    wait = nextWait(wait, 100);
    waits.push(wait);
  }
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

it('starts over with the shortest wait after a run that was long enough', () => {
  expect(nextWait(10_000, 60_000)).toBe(250);
});
