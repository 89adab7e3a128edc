// Unit tests of observation.ts: what counts, what fails, what is a latency.

import { describe, expect, it } from 'vitest';
import type { LogEntry } from '#xds-server/figures/log-entry.ts';
import { GIVEN_UP_MS, observationOf } from '#xds-server/figures/observation.ts';

const answered: LogEntry = {
  level: 'call',
  isPost: true,
  status: 200,
  isUpstreamAnswer: true,
  cluster: 'mcp.acme.files.1',
  address: '192.0.2.7:80',
  timedOut: false,
  failed: false,
  abandoned: false,
  sentMs: 10,
  firstByteMs: 60,
  endedMs: 5_000,
  attempts: 1,
};
const silent: LogEntry = { ...answered, status: 0, isUpstreamAnswer: false, firstByteMs: undefined };
const attempt: LogEntry = { ...answered, level: 'attempt', isUpstreamAnswer: false, attempts: 0 };

const judged = (entry: LogEntry) => {
  const observation = observationOf(entry);
  return observation === undefined ? undefined : [observation.failed, observation.latencyMs];
};

describe('observationOf()', () => {
  it('takes the first byte of the answer since the call was sent, not the end of a stream', () => {
    expect(observationOf(answered)).toEqual({
      level: 'call',
      cluster: 'mcp.acme.files.1',
      address: '192.0.2.7:80',
      failed: false,
      latencyMs: 50,
    });
    expect(judged(attempt)).toEqual([false, 50]);
  });

  it('takes what the client waited where a call was tried again', () => {
    expect(judged({ ...answered, attempts: 2 })).toEqual([false, 60]);
  });

  it('learns nothing of what was answered at the door, of streams and of what goes on', () => {
    expect(judged({ ...answered, cluster: '', address: '' })).toBeUndefined();
    expect(judged({ ...silent, status: 429, address: '' })).toBeUndefined();
    expect(judged({ ...answered, isPost: false })).toBeUndefined();
    expect(judged({ ...answered, level: 'other' })).toBeUndefined();
  });

  it('blames the upstream for its own errors only', () => {
    expect(judged({ ...answered, status: 500 })).toEqual([true, undefined]);
    expect(judged({ ...attempt, status: 503 })).toEqual([true, undefined]);
    expect(judged({ ...answered, status: 404 })).toEqual([false, 50]);
    expect(judged({ ...answered, status: 502, isUpstreamAnswer: false })).toEqual([false, 50]);
  });

  it('takes no time to fail for a latency, or the replica that refuses at once would be the fastest', () => {
    expect(judged({ ...silent, status: 503, failed: true })).toEqual([true, undefined]);
    expect(judged({ ...silent, status: 503, failed: true, address: '' })).toEqual([true, undefined]);
    expect(judged({ ...answered, failed: true })).toEqual([true, undefined]);
  });

  it('takes what was waited for an answer that did not come in time', () => {
    expect(judged({ ...silent, status: 504, timedOut: true, endedMs: 2_010 })).toEqual([true, 2_000]);
  });

  it('does not blame a stream that began and fell silent', () => {
    expect(judged({ ...answered, timedOut: true })).toEqual([false, 50]);
  });

  it('holds no client that left against the upstream', () => {
    expect(judged({ ...answered, abandoned: true })).toEqual([false, 50]);
    expect(judged({ ...answered, abandoned: true, status: 500 })).toEqual([false, 50]);
    expect(judged({ ...silent, abandoned: true, endedMs: GIVEN_UP_MS + 9 })).toBeUndefined();
    expect(judged({ ...silent, abandoned: true, endedMs: 60_010 })).toEqual([false, 60_000]);
  });

  it('knows an attempt whose client left by its having no end', () => {
    const left = { ...attempt, status: 0, firstByteMs: undefined };
    expect(judged({ ...left, endedMs: 60_010 })).toEqual([false, 60_000]);
    expect(judged({ ...left, endedMs: 20 })).toBeUndefined();
  });
});
