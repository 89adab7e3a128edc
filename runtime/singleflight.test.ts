// One piece of work a key, whoever waits for it.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Abandonment, createSingleflight } from '#runtime/singleflight.ts';

const never = new AbortController().signal;

const counted = () => {
  let starts = 0;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const start = (): Promise<string> => {
    starts += 1;
    return promise;
  };
  return { start, resolve, reject, starts: () => starts };
};

describe('createSingleflight()', () => {
  it('runs the work once for everybody who comes while it runs', async () => {
    const flights = createSingleflight<string>();
    const work = counted();
    const waiters = Array.from({ length: 100 }, () => flights.run('key', work.start, never));
    work.resolve('done');
    expect(new Set((await Promise.all(waiters)).map((result) => result.ok && result.value))).toEqual(
      new Set(['done']),
    );
    expect(work.starts()).toBe(1);
  });

  it('runs anew once the work has ended, well or not', async () => {
    const flights = createSingleflight<string>();
    await expect(flights.run('key', () => Promise.reject(new Error('broken')), never)).rejects.toThrow();
    expect(await flights.run('key', async () => 'second', never)).toEqual({ ok: true, value: 'second' });
  });

  it('keeps keys apart', async () => {
    const flights = createSingleflight<string>();
    const results = await Promise.all([
      flights.run('one', async () => 'one', never),
      flights.run('two', async () => 'two', never),
    ]);
    expect(results.map((result) => result.ok && result.value)).toEqual(['one', 'two']);
  });

  it('lets one waiter give up without ending the work for the others', async () => {
    const flights = createSingleflight<string>();
    const work = counted();
    const impatient = new AbortController();
    const first = flights.run('key', work.start, impatient.signal);
    const second = flights.run('key', work.start, never);
    impatient.abort();
    expect(await first).toEqual({ ok: false, error: 'aborted' });
    await nextTurn();
    work.resolve('done');
    expect(await second).toEqual({ ok: true, value: 'done' });
    expect(work.starts()).toBe(1);
  });

  it('tells the work when the last waiter has given up, and forgets it for who comes then and joins it', async () => {
    const flights = createSingleflight<string>();
    const { promise, resolve } = Promise.withResolvers<string>();
    const [one, other] = [new AbortController(), new AbortController()];
    let abandonment: Abandonment = () => never;
    const start = (given: Abandonment) => {
      abandonment = given;
      return promise;
    };
    const waiters = [one, other].map(({ signal }) => flights.run('key', start, signal));
    one.abort();
    expect(abandonment().aborted).toBe(false);
    other.abort();
    expect(abandonment().aborted).toBe(true);
    expect(await Promise.all(waiters)).toEqual([1, 2].map(() => ({ ok: false, error: 'aborted' })));
    const late = flights.run('key', () => Promise.reject(new Error('started anew')), never);
    expect(abandonment().aborted).toBe(false);
    resolve('done');
    expect(await late).toEqual({ ok: true, value: 'done' });
  });

  it('starts nothing for a waiter that is already gone', async () => {
    const work = counted();
    expect(await createSingleflight<string>().run('key', work.start, AbortSignal.abort())).toEqual({
      ok: false,
      error: 'aborted',
    });
    expect(work.starts()).toBe(0);
  });
});
