// One attempt at a backend of shared state: bounded in time, and whatever goes wrong is `unavailable`. Why it was is for the
// log, once in a while: callers can do nothing with it, and a backend that is gone fails with every call.

import { GatewayError } from '#core/gateway-error.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Logger } from '#runtime/logger.ts';
import type { SharedFault } from '#runtime/shared-state/shared-state.ts';

/** Shortest time between two lines about one backend that comes and goes, milliseconds. */
const SILENCE_MS = 60_000;

export type Attempts = {
  /** @param work is left to itself when the time is over; `signal` tells it. */
  run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<Result<T, SharedFault>>;
  /** From now on nothing is attempted. */
  close(): void;
};

const createNotes = (backend: string, logger: Logger) => {
  let notedAtMs = Number.NEGATIVE_INFINITY;
  let isNoted = false;
  return {
    failed: (error: string): void => {
      const nowMs = performance.now();
      if (nowMs - notedAtMs < SILENCE_MS) return;
      notedAtMs = nowMs;
      isNoted = true;
      logger.warn({ backend, error }, 'shared state unavailable');
    },
    answered: (): void => {
      if (!isNoted) return;
      isNoted = false;
      logger.info({ backend }, 'shared state available again');
    },
  };
};

/** @param options.explain the text of a failure for the log; it must hold no secret. */
export const createAttempts = (options: {
  readonly backend: string;
  readonly deadlineMs: number;
  readonly logger: Logger;
  readonly explain?: (thrown: unknown) => string;
}): Attempts => {
  const { deadlineMs, explain = (thrown) => GatewayError.from(thrown).message } = options;
  const notes = createNotes(options.backend, options.logger);
  let isOpen = true;

  const withinDeadline = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const controller = new AbortController();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new GatewayError('store_failed', `no answer within ${deadlineMs} ms`));
      controller.abort();
    }, deadlineMs);
    try {
      return await Promise.race([work(controller.signal), late]);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    run: async (work) => {
      if (!isOpen) return err('unavailable');
      try {
        const value = await withinDeadline(work);
        notes.answered();
        return ok(value);
      } catch (thrown) {
        notes.failed(explain(thrown));
        return err('unavailable');
      }
    },
    close: () => {
      isOpen = false;
    },
  };
};
