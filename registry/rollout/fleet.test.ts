// Unit tests of fleet.ts: which Envoys are listed, and what of several reports counts.

import { describe, expect, it } from 'vitest';
import type { ConsumerStatus, EnvoyNodeFacts } from '#core/feed-message.ts';
import type { ConsumerEntry } from '#registry/feed/consumer-board.ts';
import { listFleet } from '#registry/rollout/fleet.ts';

const MOMENT = { last: 20, nowMs: Date.parse('2026-01-01T12:00:00Z') };

const about = (connectedSince = '2026-01-01T11:00:00Z'): EnvoyNodeFacts => ({
  group: 'edge',
  protocol: 'delta',
  connectedSince,
});

const node = (nodeId: string, acknowledgedSequence = 20, connectedSince?: string) => ({
  nodeId,
  acknowledgedSequence,
  rejected: [],
  about: about(connectedSince),
});

const gone = (nodeId: string, since: string) => ({
  nodeId,
  since,
  acknowledgedSequence: 5,
  about: about(),
});

const xds = (
  name: string,
  status: Omit<ConsumerStatus, 'sequence'>,
  changes: Partial<ConsumerEntry> = {},
): ConsumerEntry => ({
  consumer: `xds-server/${name}`,
  connected: true,
  since: '2026-01-01T11:30:00Z',
  sentSequence: 20,
  status: { sequence: 20, ...status },
  reportedAt: null,
  ...changes,
});

const list = (...entries: readonly ConsumerEntry[]) => listFleet(entries, MOMENT);

describe('listFleet()', () => {
  it('has the Envoys of every xds-server, sorted', () => {
    expect(list(xds('one', { nodes: [node('b')] }), xds('two', { nodes: [node('a', 19)] }))).toMatchObject([
      { id: 'a', state: 'connected', config: 'pending', xdsServer: 'xds-server/two' },
      { id: 'b', state: 'connected', config: 'in_sync', since: '2026-01-01T11:00:00Z' },
    ]);
  });

  it('calls one that refuses something rejected, though it has taken all else', () => {
    const rejected = [{ typeUrl: 'x', resource: 'a', message: 'no' }];
    expect(list(xds('one', { nodes: [{ ...node('a'), rejected }] }))).toMatchObject([
      { config: 'rejected', rejected: 1 },
    ]);
  });

  it('finds one that moved where it is now', () => {
    const left = xds('one', { gone: [gone('a', '2026-01-01T11:59:00Z')] });
    const here = xds('two', { nodes: [node('a')] });
    for (const entries of [
      [left, here],
      [here, left],
    ])
      expect(list(...entries)).toMatchObject([
        { state: 'connected', xdsServer: 'xds-server/two', connections: 1 },
      ]);
  });

  it('lists an id once, and tells how many connections have it', () => {
    const both = { nodes: [node('a', 10), node('a', 20, '2026-01-01T11:50:00Z')] };
    expect(list(xds('one', both))).toMatchObject([
      { id: 'a', connections: 2, acknowledgedSequence: 20, since: '2026-01-01T11:50:00Z' },
    ]);
  });

  it('does not know what became of those whose xds-server is away', () => {
    const away = xds('one', { nodes: [node('a')] }, { connected: false });
    expect(list(away)).toMatchObject([
      { state: 'unknown', since: '2026-01-01T11:30:00Z', config: 'unknown', connections: 0 },
    ]);
    expect(list(away, xds('two', { nodes: [node('a')] }))).toMatchObject([{ state: 'connected' }]);
  });

  it('forgets after an hour who left, or whose xds-server did', () => {
    const longAgo = '2026-01-01T10:59:00Z';
    const away = xds('one', { nodes: [node('a')] }, { connected: false, since: longAgo });
    expect(
      list(away, xds('two', { gone: [gone('b', longAgo), gone('c', '2026-01-01T11:01:00Z')] })),
    ).toMatchObject([{ id: 'c', state: 'gone', config: 'unknown', acknowledgedSequence: 5 }]);
  });

  it('lists those of an older xds-server with what that tells', () => {
    const nodes = [{ nodeId: 'a', acknowledgedSequence: 20, rejected: [] }];
    expect(list(xds('one', { nodes }))).toEqual([
      {
        id: 'a',
        state: 'connected',
        since: null,
        config: 'in_sync',
        xdsServer: 'xds-server/one',
        connections: 1,
        acknowledgedSequence: 20,
        rejected: 0,
      },
    ]);
  });
});
