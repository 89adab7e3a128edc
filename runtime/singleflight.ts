// One piece of work a key at a time: whoever comes while it runs waits for the same result. A waiter that gives up
// leaves the others, and the work itself, alone.

import { err, ok, type Result } from '#core/result.ts';

export type Singleflight<T> = {
  /**
   * Joins the work under `key`, or starts it.
   * @returns `aborted` if `signal` ended the wait. What the work throws, every waiter gets.
   */
  run(key: string, start: () => Promise<T>, signal: AbortSignal): Promise<Result<T, 'aborted'>>;
};

const waitFor = <T>(flight: Promise<T>, signal: AbortSignal): Promise<Result<T, 'aborted'>> =>
  new Promise((resolve, reject) => {
    const giveUp = (): void => resolve(err('aborted'));
    signal.addEventListener('abort', giveUp, { once: true });
    flight
      .then((value) => resolve(ok(value)), reject)
      .finally(() => signal.removeEventListener('abort', giveUp));
  });

export const createSingleflight = <T>(): Singleflight<T> => {
  const flights = new Map<string, Promise<T>>();
  const takeOff = (key: string, start: () => Promise<T>): Promise<T> => {
    const flight = start().finally(() => flights.delete(key));
    flights.set(key, flight);
    return flight;
  };
  return {
    run: async (key, start, signal) => {
      if (signal.aborted) return err('aborted');
      return waitFor(flights.get(key) ?? takeOff(key, start), signal);
    },
  };
};
