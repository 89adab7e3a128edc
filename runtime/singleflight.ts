// One piece of work a key at a time: whoever comes while it runs waits for the same result. A waiter that gives up
// leaves the others, and the work itself, alone.

import { err, ok, type Result } from '#core/result.ts';

export type Singleflight<T> = {
  /**
   * Joins the work under `key`, or starts it. The work is told when nobody waits for it any more; whoever comes before
   * it has ended joins it all the same.
   * @returns `aborted` if `signal` ended the wait. What the work throws, every waiter gets.
   */
  run(
    key: string,
    start: (abandoned: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<Result<T, 'aborted'>>;
};

type Flight<T> = { readonly landing: Promise<T>; readonly abandoned: AbortController; waiting: number };

const waitFor = <T>(flight: Flight<T>, signal: AbortSignal): Promise<Result<T, 'aborted'>> =>
  new Promise((resolve, reject) => {
    flight.waiting += 1;
    const giveUp = (): void => {
      flight.waiting -= 1;
      if (flight.waiting === 0) flight.abandoned.abort();
      resolve(err('aborted'));
    };
    signal.addEventListener('abort', giveUp, { once: true });
    flight.landing
      .then((value) => resolve(ok(value)), reject)
      .finally(() => signal.removeEventListener('abort', giveUp));
  });

export const createSingleflight = <T>(): Singleflight<T> => {
  const flights = new Map<string, Flight<T>>();
  const takeOff = (key: string, start: (abandoned: AbortSignal) => Promise<T>): Flight<T> => {
    const abandoned = new AbortController();
    const landing = start(abandoned.signal).finally(() => flights.delete(key));
    const flight = { landing, abandoned, waiting: 0 };
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
