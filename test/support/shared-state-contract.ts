// The contract every backend of the shared state keeps. Each test gets names of its own, so that a backend may be shared by
// all of them, and two handles, as two processes have them.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ok, type Result } from '#core/result.ts';
import type { SharedFault, SharedState } from '#runtime/shared-state/shared-state.ts';

export type SharedStateUnderTest = {
  /** Another handle to the one backend. */
  open(): Promise<SharedState>;
  /** Lets at least so many milliseconds go by: real ones, or the backend's. */
  pass(ms: number): Promise<void>;
  stop(): Promise<void>;
};

/** Answers nothing any more, though handles are open to it: how it came to be so is the backend's own. */
export type LostBackend = {
  readonly title: string;
  /** Brings a backend up, and takes it away once the handle has been used. */
  lose(): Promise<{ readonly state: SharedState; lost(): Promise<void>; stop(): Promise<void> }>;
};

/** An hour: longer than any test. */
const LONG_MS = 3_600_000;
/** Short, and long enough to be read back on a busy machine where a test does so. */
const SHORT_MS = 400;
const ASKERS = 40;
const UNAVAILABLE = { ok: false, error: 'unavailable' };
/** Until a backend that is gone has to be said to be; generous, for a busy machine. */
const LOST_LIMIT_MS = 15_000;

const answerOf = <T>(result: Result<T, SharedFault>): T => {
  if (!result.ok) throw new Error(result.error);
  return result.value;
};

/** Texts that have been somebody's separator, end, pattern, path or command. All well-formed, as UTF-8 has to be. */
const HOSTILE = [
  '',
  ' ',
  'a b',
  'a\u0000b',
  'a\r\nDEL b',
  `'; DROP TABLE entries; --`,
  '%',
  '_',
  '*',
  '{a}b',
  '{}',
  'a/b\\c?d#e',
  '../..',
  '__proto__',
  '"\\u0041',
  'ß𝔘\u202e',
  'e\u0301',
  '\u00e9',
  'x'.repeat(10_000),
  `${'x'.repeat(10_000)}y`,
];

/** One call of every kind. */
const everyCall = (state: SharedState, key: string): readonly Promise<Result<unknown, SharedFault>>[] => [
  state.read(key),
  state.write(key, { value: 'v', lifetimeMs: LONG_MS, owner: 'o' }),
  state.remove(key),
  state.removeOwned('o'),
  state.claim(key, { holder: 'h', lifetimeMs: LONG_MS }),
  state.release(key, 'h'),
];

export const describeSharedState = (name: string, create: () => Promise<SharedStateUnderTest>) =>
  describe(`shared state: ${name}`, () => {
    let under: SharedStateUnderTest;
    let one: SharedState;
    let other: SharedState;
    let place: string;

    beforeAll(async () => {
      under = await create();
      [one, other] = [await under.open(), await under.open()];
    });
    beforeEach(() => {
      place = randomUUID();
    });
    afterAll(async () => {
      await one.stop();
      await other.stop();
      await under.stop();
    });

    const named = (text: string): string => `${place} ${text}`;
    const read = async (key: string, state = other) => answerOf(await state.read(named(key)));
    const write = async (key: string, value: string, more: { lifetimeMs?: number; owner?: string } = {}) => {
      const entry = { value, lifetimeMs: more.lifetimeMs ?? LONG_MS };
      const owned = more.owner === undefined ? entry : { ...entry, owner: named(more.owner) };
      expect(await one.write(named(key), owned)).toEqual(ok(true));
    };
    const removeOwned = async (owner: string) =>
      expect(await other.removeOwned(named(owner))).toEqual(ok(true));
    const claim = async (key: string, holder: string, lifetimeMs = LONG_MS, state = one) =>
      answerOf(await state.claim(named(key), { holder, lifetimeMs }));
    const release = async (key: string, holder: string) =>
      expect(await other.release(named(key), holder)).toEqual(ok(true));
    /** Waits until `isOver`, by the backend's time. */
    const until = async (isOver: () => Promise<boolean>) => {
      for (let tries = 0; tries < 200; tries += 1) {
        if (await isOver()) return;
        await under.pass(50);
      }
      throw new Error('it never came to be');
    };

    describe('values', () => {
      it('are read by another process as they were written, and replaced whole', async () => {
        expect(await read('a')).toBeUndefined();
        await write('a', 'first');
        expect(await read('a')).toBe('first');
        await write('a', 'second');
        expect(await read('a')).toBe('second');
        expect(await read('a', one)).toBe('second');
      });

      it('are removed, and only they', async () => {
        await write('a', 'A');
        await write('b', 'B');
        expect(await other.remove(named('a'))).toEqual(ok(true));
        expect(await other.remove(named('never there'))).toEqual(ok(true));
        expect(await read('a', one)).toBeUndefined();
        expect(await read('b', one)).toBe('B');
      });

      it('are gone when their time is over, and not before', async () => {
        const before = performance.now();
        let passed = 0;
        await write('short', 'S', { lifetimeMs: SHORT_MS });
        await write('long', 'L');
        await until(async () => {
          const isGone = (await read('short')) === undefined;
          if (!isGone) passed += 50;
          return isGone;
        });
        expect(Math.max(passed, performance.now() - before)).toBeGreaterThanOrEqual(SHORT_MS);
        expect(await read('long')).toBe('L');
      });

      it('live as long as the last writer said, longer or shorter', async () => {
        await write('longer', 'old', { lifetimeMs: SHORT_MS });
        await write('longer', 'new');
        await write('shorter', 'old');
        await write('shorter', 'new', { lifetimeMs: SHORT_MS });
        await until(async () => (await read('shorter')) === undefined);
        await under.pass(SHORT_MS);
        expect(await read('longer')).toBe('new');
      });

      it('can be written again when their time is over', async () => {
        await write('a', 'old', { lifetimeMs: SHORT_MS });
        await until(async () => (await read('a')) === undefined);
        await write('a', 'new');
        expect(await read('a')).toBe('new');
      });

      it('may live for a fraction of a millisecond', async () => {
        await write('a', 'A', { lifetimeMs: 0.5 });
        await until(async () => (await read('a')) === undefined);
      });

      it.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 40), text]))(
        'and keys may be %s',
        async (_title, text) => {
          await write(text, text, { owner: text });
          expect(await read(text)).toBe(text);
          expect(await claim(text, text)).toBe(true);
          expect(await claim(text, text)).toBe(false);
          await removeOwned(text);
          expect(await read(text)).toBeUndefined();
        },
      );

      it('are not taken for one another, whatever their names are', async () => {
        await Promise.all(HOSTILE.map((text, index) => write(text, String(index), { owner: text })));
        const found = await Promise.all(HOSTILE.map((text) => read(text)));
        expect(found).toEqual(HOSTILE.map((_text, index) => String(index)));
        await removeOwned('*');
        await removeOwned('%');
        await removeOwned('_');
        expect(await read('a b')).toBe(String(HOSTILE.indexOf('a b')));
        expect(await read('x'.repeat(10_000))).toBeDefined();
      });

      it('may be large', async () => {
        const large = 'ü'.repeat(200_000);
        await write('large', large);
        expect((await read('large')) === large).toBe(true);
      });
    });

    describe('owners', () => {
      it('lose all they own at once, and nobody else anything', async () => {
        const keys = Array.from({ length: 250 }, (_item, index) => `k${index}`);
        await Promise.all(keys.map((key) => write(key, key, { owner: 'alice' })));
        await write('of bob', 'B', { owner: 'bob' });
        await write('of nobody', 'N');
        await removeOwned('alice');
        expect((await Promise.all(keys.map((key) => read(key)))).filter(Boolean)).toEqual([]);
        expect([await read('of bob'), await read('of nobody')]).toEqual(['B', 'N']);
        await removeOwned('alice');
      });

      it('lose only what is theirs by now', async () => {
        await write('passed on', 'A', { owner: 'alice' });
        await write('passed on', 'B', { owner: 'bob' });
        await write('freed', 'A', { owner: 'alice' });
        await write('freed', 'F');
        await write('taken', 'F');
        await write('taken', 'A', { owner: 'alice' });
        await write('back again', 'A', { owner: 'alice' });
        await one.remove(named('back again'));
        await write('back again', 'B', { owner: 'bob' });
        await removeOwned('alice');
        expect(
          await Promise.all(['passed on', 'freed', 'taken', 'back again'].map((key) => read(key))),
        ).toEqual(['B', 'F', undefined, 'B']);
        await removeOwned('bob');
        expect([await read('passed on'), await read('back again')]).toEqual([undefined, undefined]);
      });

      it('lose what outlived an entry that was written for a shorter time', async () => {
        await write('short', 'S', { owner: 'alice', lifetimeMs: SHORT_MS });
        await write('long', 'L', { owner: 'alice' });
        await until(async () => (await read('short')) === undefined);
        await write('short', 'again', { owner: 'alice' });
        await removeOwned('alice');
        expect([await read('short'), await read('long')]).toEqual([undefined, undefined]);
      });
    });

    describe('leases', () => {
      it('go to one asker, also not again to the one who holds it', async () => {
        expect(await claim('a', 'one')).toBe(true);
        expect(await claim('a', 'two', LONG_MS, other)).toBe(false);
        expect(await claim('a', 'one')).toBe(false);
        expect(await claim('b', 'two', LONG_MS, other)).toBe(true);
      });

      it('go to exactly one of many who ask at once', async () => {
        for (let round = 0; round < 5; round += 1) {
          const answers = await Promise.all(
            Array.from({ length: ASKERS }, (_item, index) =>
              claim(`round ${round}`, `asker ${index}`, LONG_MS, index % 2 === 0 ? one : other),
            ),
          );
          expect(answers.filter(Boolean)).toHaveLength(1);
        }
      });

      it('go to exactly one of many who ask at once when the last one has ended', async () => {
        const before = performance.now();
        expect(await claim('a', 'dead', SHORT_MS)).toBe(true);
        let passed = 0;
        let winners: number[] = [];
        await until(async () => {
          const answers = await Promise.all(
            Array.from({ length: ASKERS }, (_item, index) =>
              claim('a', `asker ${index}`, LONG_MS, index % 2 === 0 ? one : other),
            ),
          );
          winners = answers.flatMap((won, index) => (won ? [index] : []));
          if (winners.length === 0) passed += 50;
          return winners.length > 0;
        });
        expect(winners).toHaveLength(1);
        expect(Math.max(passed, performance.now() - before)).toBeGreaterThanOrEqual(SHORT_MS);
        await release('a', 'dead');
        expect(await claim('a', 'late')).toBe(false);
      });

      it('are free for the next when they are given back', async () => {
        await claim('a', 'one');
        await release('a', 'one');
        expect(await claim('a', 'two', LONG_MS, other)).toBe(true);
      });

      it('are not given back by a stranger', async () => {
        await claim('a', 'one');
        await release('a', 'two');
        await release('a', '');
        await release('never held', 'one');
        expect(await claim('a', 'two')).toBe(false);
      });

      it('and values of one name do not meet', async () => {
        await write('a', 'A', { owner: 'alice' });
        expect(await claim('a', 'one')).toBe(true);
        expect(await read('a')).toBe('A');
        await removeOwned('alice');
        await one.remove(named('a'));
        expect(await claim('a', 'two')).toBe(false);
        await write('a', 'B');
        await release('a', 'one');
        expect(await read('a')).toBe('B');
      });
    });

    it('answers `unavailable` from a handle that was stopped, and the others go on', async () => {
      const third = await under.open();
      await third.stop();
      await third.stop();
      expect(await Promise.all(everyCall(third, named('a')))).toEqual(Array(6).fill(UNAVAILABLE));
      await write('a', 'A');
      expect(await read('a')).toBe('A');
    });
  });

/** A backend that has to be reached can be out of reach. */
export const describeLostState = (name: string, ways: readonly LostBackend[]) =>
  describe(`shared state lost: ${name}`, () => {
    it.each(ways)('answers `unavailable`, in time, when $title', async ({ lose }) => {
      const { state, lost, stop } = await lose();
      try {
        await expect.poll(() => Promise.all(everyCall(state, randomUUID()))).not.toContainEqual(UNAVAILABLE);
        await lost();
        // Before and after it is known that nobody is there.
        for (let round = 0; round < 2; round += 1) {
          const before = performance.now();
          expect(await Promise.all(everyCall(state, randomUUID()))).toEqual(Array(6).fill(UNAVAILABLE));
          expect(performance.now() - before).toBeLessThan(LOST_LIMIT_MS);
        }
      } finally {
        await state.stop();
        await stop();
      }
    });
  });
