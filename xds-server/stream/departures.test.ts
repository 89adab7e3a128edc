// Unit tests of departures.ts.

import { describe, expect, it } from 'vitest';
import { createDepartures } from '#xds-server/stream/departures.ts';

const START_MS = Date.parse('2026-01-01T12:00:00Z');
const HOUR_MS = 3_600_000;

const node = (nodeId: string) => ({
  nodeId,
  acknowledgedSequence: 7,
  about: { group: 'edge', protocol: 'delta', connectedSince: '2026-01-01T11:00:00Z' } as const,
});

const opened = () => {
  let nowMs = START_MS;
  const departures = createDepartures(() => nowMs);
  const ids = () => departures.list().map(({ nodeId }) => nodeId);
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { departures, ids, pass };
};

describe('nodes that left', () => {
  it('are told latest first, since when, and as they were', () => {
    const { departures, ids, pass } = opened();
    departures.left(node('a'));
    pass(1_000);
    departures.left(node('b'));
    expect(ids()).toEqual(['b', 'a']);
    expect(departures.list()[1]).toEqual({ ...node('a'), since: '2026-01-01T12:00:00.000Z' });
  });

  it('are gone no more once they are back, and once only however often they leave', () => {
    const { departures, ids } = opened();
    departures.left(node('a'));
    departures.left(node('b'));
    departures.left(node('a'));
    expect(ids()).toEqual(['a', 'b']);
    departures.returned('a');
    expect(ids()).toEqual(['b']);
  });

  it('are forgotten after an hour', () => {
    const { departures, ids, pass } = opened();
    departures.left(node('a'));
    pass(HOUR_MS / 2);
    departures.left(node('b'));
    pass(HOUR_MS / 2 + 1);
    expect(ids()).toEqual(['b']);
  });

  it('are bounded, whatever names they give themselves: the first make room', () => {
    const { departures, ids } = opened();
    for (let index = 0; index < 2_000; index += 1) departures.left(node(`node-${index}`));
    expect(ids()).toHaveLength(500);
    expect(ids()[0]).toBe('node-1999');
  });
});
