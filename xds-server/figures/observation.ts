// What an entry counts as: whether it says anything about an upstream, whether the upstream failed, and how long the
// first byte of its answer took. Pure.

import type { LogEntry } from '#xds-server/figures/log-entry.ts';

export type Observation = {
  readonly level: 'call' | 'attempt';
  readonly cluster: string;
  /** Empty: no replica was chosen. */
  readonly address: string;
  readonly failed: boolean;
  /** Time to the first byte of the answer, or how long it was waited for; undefined: nothing is known of it. */
  readonly latencyMs: number | undefined;
};

/**
 * A client that waited this long and left has seen that the server is slow. One that left sooner has seen nothing, and
 * counting it would let anybody who hangs up at once make a server look fast.
 */
export const GIVEN_UP_MS = 1_000;

/** Nothing of ours in between failed the upstream: ext-proc answers 502 in its place, and that is no fault of it. */
const isServerError = ({ level, status, isUpstreamAnswer }: LogEntry): boolean =>
  status >= 500 && (level === 'attempt' || isUpstreamAnswer);

/** A stream that began and then fell silent is what streams do. */
const isTimeout = ({ timedOut, firstByteMs }: LogEntry): boolean => timedOut && firstByteMs === undefined;

// Of one attempt the time since it was sent, because what lies before is our own: the decision, the exchange of tokens.
// A call tried again has no such moment; what its client waited is the honest figure.
const startMs = ({ sentMs = 0, attempts }: LogEntry): number => (attempts > 1 ? 0 : sentMs);

/** Of an attempt Envoy says so only by saying nothing else. */
const isAbandoned = ({ level, status, timedOut, failed, abandoned }: LogEntry): boolean =>
  abandoned || (level === 'attempt' && status === 0 && !timedOut && !failed);

const latencyOf = (entry: LogEntry, failed: boolean): number | undefined => {
  const { firstByteMs, endedMs } = entry;
  // How long it took to fail is no latency: a replica that refuses at once would be the fastest of all.
  if (failed && !isTimeout(entry)) return undefined;
  if (firstByteMs !== undefined) return Math.max(0, firstByteMs - startMs(entry));
  const waited = Math.max(0, endedMs - startMs(entry));
  return isTimeout(entry) || (isAbandoned(entry) && waited >= GIVEN_UP_MS) ? waited : undefined;
};

/**
 * What is learnt of an upstream, undefined for nothing: requests that were answered at the door, and streams opened by
 * GET, whose first byte comes when the server has something to say.
 */
export const observationOf = (entry: LogEntry): Observation | undefined => {
  const { level, cluster, address, isPost } = entry;
  if (level === 'other' || !isPost || cluster === '') return undefined;
  const failed = !entry.abandoned && (entry.failed || isTimeout(entry) || isServerError(entry));
  // Refused by a filter behind the decision: it had a cluster and no replica, and none had failed it.
  if (address === '' && !failed) return undefined;
  const latencyMs = latencyOf(entry, failed);
  // Left before anything was to be seen: neither success nor failure.
  if (!failed && latencyMs === undefined) return undefined;
  return { level, cluster, address, failed, latencyMs };
};
