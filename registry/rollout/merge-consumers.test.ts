// Unit tests of merge-consumers.ts.

import { describe, expect, it } from 'vitest';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import { mergeConsumers } from '#registry/rollout/merge-consumers.ts';

const NOW_MS = Date.parse('2026-01-01T12:00:00Z');

const entry = (consumer: string, connected: boolean, since: string, sequence = 1): ConsumerEntry => ({
  consumer,
  connected,
  since: `2026-01-01T${since}Z`,
  sentSequence: sequence,
  status: { sequence },
  reportedAt: null,
});

const seen = (replica: string, ageMs: number, ...entries: readonly ConsumerEntry[]) =>
  entries.map((each) => ({ replica, seenAtMs: NOW_MS - ageMs, entry: each }));

const merge = (own: readonly ConsumerEntry[], ...others: ReturnType<typeof seen>) =>
  mergeConsumers({ replica: 'a', entries: own }, others, NOW_MS);

describe('mergeConsumers()', () => {
  it('lists what this registry and others see, sorted, and each once', () => {
    const list = merge(
      [entry('xds-server', true, '11:00:00')],
      ...seen('b', 1_000, entry('ext-proc', true, '11:00:00'), entry('ext-authz', true, '11:00:00')),
    );
    expect(list.map(({ consumer }) => consumer)).toEqual(['ext-authz', 'ext-proc', 'xds-server']);
  });

  it('takes what it sees itself from itself, not from what it wrote', () => {
    const list = merge(
      [entry('xds-server', true, '11:00:00', 9)],
      ...seen('a', 1_000, entry('xds-server', true, '11:00:00', 5)),
    );
    expect(list).toMatchObject([{ status: { sequence: 9 } }]);
  });

  it('finds a consumer that moved where it is connected now', () => {
    const gone = entry('xds-server', false, '11:59:59', 5);
    const here = entry('xds-server', true, '11:30:00', 9);
    expect(merge([gone], ...seen('b', 1_000, here))).toEqual([here]);
    expect(merge([here], ...seen('b', 1_000, gone))).toEqual([here]);
  });

  it('takes the consumers of a registry that has fallen silent for gone since then', () => {
    const connected = entry('xds-server', true, '11:00:00');
    expect(merge([], ...seen('b', 14_000, connected))).toEqual([connected]);
    expect(merge([], ...seen('b', 20_000, connected))).toMatchObject([
      { connected: false, since: '2026-01-01T11:59:40.000Z' },
    ]);
  });
});
