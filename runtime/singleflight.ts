// One piece of work a key at a time: whoever comes while it runs waits for the same result. A waiter that gives up
// leaves the others, and the work itself, alone.

import { err, ok, type Result } from '#core/result.ts';

/** A signal that is aborted when nobody waits for the work any more. Asked anew, it knows of those who have come since. */
export type Abandonment = () => AbortSignal;

export type Singleflight<T> = {
  /**
   * Joins the work under `key`, or starts it. The work is told when nobody waits for it any more; whoever comes before
   * it has ended joins it all the same.
   * @returns `aborted` if `signal` ended the wait. What the work throws, every waiter gets.
   */
  run(
    key: string,
    start: (abandonment: Abandonment) => Promise<T>,
    signal: AbortSignal,
  ): Promise<Result<T, 'aborted'>>;
};

class Flight<T> {
  readonly #landing: Promise<T>;
  #abandoned = new AbortController();
  #waiting = 0;

  constructor(start: (abandonment: Abandonment) => Promise<T>, onLanded: () => void) {
    this.#landing = start(() => this.#abandoned.signal).finally(onLanded);
  }

  join(signal: AbortSignal): Promise<Result<T, 'aborted'>> {
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#leave();
        resolve(err('aborted'));
      };
      this.#waiting += 1;
      // A signal stays aborted, and there is somebody again.
      if (this.#abandoned.signal.aborted) this.#abandoned = new AbortController();
      signal.addEventListener('abort', giveUp, { once: true });
      this.#landing
        .then((value) => resolve(ok(value)), reject)
        .finally(() => signal.removeEventListener('abort', giveUp));
    });
  }

  #leave(): void {
    this.#waiting -= 1;
    if (this.#waiting === 0) this.#abandoned.abort();
  }
}

export const createSingleflight = <T>(): Singleflight<T> => {
  const flights = new Map<string, Flight<T>>();
  return {
    run: async (key, start, signal) => {
      if (signal.aborted) return err('aborted');
      const flight = flights.get(key) ?? new Flight(start, () => flights.delete(key));
      flights.set(key, flight);
      return flight.join(signal);
    },
  };
};
