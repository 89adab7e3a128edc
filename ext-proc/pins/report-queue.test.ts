import { describe, expect, it } from 'vitest';
import { err, ok, type Result } from '#core/result.ts';
import type { DriftSighting } from '#core/tool-drift.ts';
import { createReportQueue } from '#ext-proc/pins/report-queue.ts';

const sightingOf = (tool: number): DriftSighting => ({
  tenantId: 'acme',
  serverId: 'tracker',
  version: '1.0.0',
  tool: `tool-${tool}`,
  replica: '10.0.0.1:80',
  changes: [],
  at: '2026-01-01T00:00:00Z',
});
const SIGHTINGS = Array.from({ length: 250 }, (_, at) => sightingOf(at));

const start = (answers: (attempt: number) => Result<true, string>, maxWaiting = 1_000) => {
  const seen = {
    batches: [] as (readonly DriftSighting[])[],
    kept: [] as DriftSighting[],
    lost: [] as DriftSighting[],
    pauses: [] as number[],
  };
  const queue = createReportQueue({
    reporter: {
      report: async (batch) => {
        seen.batches.push(batch);
        return answers(seen.batches.length);
      },
    },
    kept: (sightings) => void seen.kept.push(...sightings),
    lost: (sightings) => void seen.lost.push(...sightings),
    maxWaiting,
    pause: async (timeMs) => void seen.pauses.push(timeMs),
  });
  return { queue, seen };
};

describe('the queue of reports', () => {
  it('sends what is offered at once together, in order, a hundred at a time', async () => {
    const { queue, seen } = start(() => ok(true));
    for (const sighting of SIGHTINGS) expect(queue.offer(sighting)).toBe(true);
    await expect.poll(() => seen.kept.length).toBe(250);
    expect(seen.batches.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(seen.kept).toEqual(SIGHTINGS);
    queue.offer(sightingOf(1));
    await expect.poll(() => seen.kept.length).toBe(251);
  });

  it('repeats a batch, each time later, until it is there', async () => {
    const { queue, seen } = start((attempt) => (attempt < 10 ? err('away') : ok(true)));
    queue.offer(sightingOf(1));
    await expect.poll(() => seen.kept.length).toBe(1);
    expect(seen.pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(seen.lost).toEqual([]);
  });

  it('lets go in the end of what keeps the others back', async () => {
    const { queue, seen } = start((attempt) => (attempt <= 12 ? err('refused') : ok(true)));
    for (const sighting of SIGHTINGS) queue.offer(sighting);
    await expect.poll(() => seen.kept.length).toBe(150);
    expect(seen.lost).toEqual(SIGHTINGS.slice(0, 100));
  });

  it('takes no more than there is room for', () => {
    const { queue } = start(() => ok(true), 2);
    expect([1, 2, 3].map((tool) => queue.offer(sightingOf(tool)))).toEqual([true, true, false]);
  });

  it('sends nothing any more once it is stopped', async () => {
    const { queue, seen } = start(() => err('away'));
    queue.offer(sightingOf(1));
    queue.stop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.batches).toEqual([]);
  });
});
