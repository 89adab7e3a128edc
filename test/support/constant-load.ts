// Constant load: so many calls a second whether or not the last ones were answered, and streams that are opened again whenever
// they end. What is sent, over which connection, and what must come of it is for whoever starts it.

import { setTimeout as sleep } from 'node:timers/promises';

export type LoadOptions = {
  /** Calls a second. */
  readonly rate: number;
  /** Makes one call; resolves when it is over, however it ended. */
  readonly call: () => Promise<void>;
  /** Each opens a stream and resolves when it has ended. */
  readonly streams: readonly (() => Promise<void>)[];
  /** How long those that are out are waited for at the end, milliseconds; no limit where absent. */
  readonly patienceMs?: number;
};

/** So that a gateway that hangs does not fill this process; calls beyond are left out. */
const MAX_IN_FLIGHT = 400;

/** Before a stream is opened again, so that a door that is shut is not hammered. */
const REOPEN_MS = 500;

/** Starts it. @returns what starts no more and waits for those that are out */
export const startConstantLoad = ({
  rate,
  call,
  streams,
  patienceMs,
}: LoadOptions): (() => Promise<void>) => {
  const out = new Set<Promise<void>>();
  let isStopping = false;
  const track = (running: Promise<void>): Promise<void> => {
    out.add(running);
    return running.finally(() => out.delete(running));
  };
  const keepRate = async (): Promise<void> => {
    const startedAt = performance.now();
    for (let count = 1; !isStopping; count += 1) {
      const aheadMs = startedAt + (count * 1_000) / rate - performance.now();
      if (aheadMs > 0) await sleep(aheadMs);
      if (out.size < MAX_IN_FLIGHT) void track(call());
    }
  };
  const keepStream = async (open: () => Promise<void>): Promise<void> => {
    while (!isStopping) {
      await track(open());
      await sleep(REOPEN_MS);
    }
  };
  void keepRate();
  for (const open of streams) void keepStream(open);
  return async () => {
    isStopping = true;
    const all = Promise.all(out);
    if (patienceMs === undefined) return void (await all);
    const patience = new AbortController();
    const late = sleep(patienceMs, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([all, late]);
    patience.abort();
  };
};
