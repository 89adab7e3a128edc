// Processes that want one token at once, in whatever order their questions are answered: one exchange, and never two at a
// time. The ports are our own doubles, so that a scheduler may choose the order.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import { Secret } from '#core/secret.ts';
import type { CachedToken, TokenCache } from '#ext-authz/token/cache.ts';
import type { ExchangeOutcome } from '#ext-authz/token/exchange.ts';
import { createRefusalMemory, type RememberedRefusal } from '#ext-authz/token/refusal-memory.ts';
import { createSharedFlights, type Landing, LEASE_MS } from '#ext-authz/token/shared-flight.ts';
import { createTokenMetrics } from '#ext-authz/token/token-metrics.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

const KEYS = { caller: 'caller', consent: 'consent', application: 'application', owner: 'owner' };

const TOKEN: CachedToken = { token: new Secret('token'), notedAt: 0, expiresAt: 100 };

/** Room is set aside at once, and thousands of these are made. */
const SMALL = { maxValues: 10, maxCharacters: 10_000, maxLeases: 10 };

/** Costly to make, and of interest to one test only. */
const METRICS = createTokenMetrics(createMetrics('test'));

const BLOCKED: RememberedRefusal = {
  refusal: { reason: 'access_blocked', scope: 'caller', rememberSeconds: 60, isTransient: false },
  until: 60,
  notedAt: 0,
  logFacts: {},
};

/** Answers a function's promise when the scheduler says so. */
type Delay = <A extends unknown[], T>(
  name: string,
  work: (...args: A) => Promise<T>,
) => (...args: A) => Promise<T>;

const atOnce: Delay = (_name, work) => work;

const delayedBy =
  (scheduler: fc.Scheduler): Delay =>
  (name, work) =>
    scheduler.scheduleFunction(
      Object.defineProperty((...args: Parameters<typeof work>) => work(...args), 'name', { value: name }),
    ) as typeof work;

type World = {
  readonly delay?: Delay;
  readonly shared?: SharedState;
  /** What the provider says to its n-th question, from 1. */
  readonly outcome?: (attempt: number) => ExchangeOutcome | Promise<ExchangeOutcome>;
};

const setUp = ({ delay = atOnce, shared: given, outcome = () => ok(TOKEN) }: World = {}) => {
  const clock = { ms: 0 };
  const real = given ?? createMemoryState(() => clock.ms, SMALL);
  const shared: SharedState = {
    ...real,
    claim: delay('claim', real.claim),
    release: delay('release', real.release),
  };
  let stored: CachedToken | undefined;
  const told = new Map<string, RememberedRefusal>();
  let attempts = 0;
  let running = 0;
  let most = 0;

  const exchange = delay('exchange', async (): Promise<ExchangeOutcome> => {
    attempts += 1;
    running += 1;
    most = Math.max(most, running);
    return outcome(attempts);
  });
  const store = delay('store', async (result: ExchangeOutcome) => {
    if (result.ok) stored = result.value;
    running -= 1;
  });
  const purged: string[] = [];
  const cache = {
    findNewest: delay('find', async () => stored),
    purge: async (owner: string) => void purged.push(owner),
  } as unknown as TokenCache;

  const startProcess = (metrics = METRICS) => {
    const refusals = createRefusalMemory(10);
    const flights = createSharedFlights({
      shared,
      cache,
      refusals,
      sharedRefusals: {
        share: delay('share', async (key: string, entry: RememberedRefusal) => void told.set(key, entry)),
        find: delay('find refusal', async (keys: readonly string[]) => told.get(keys[0] ?? '')),
      },
      metrics,
      monotonicMs: () => clock.ms,
      sleep: delay('sleep', async (ms: number) => {
        // In a race nobody may wait so long that a lease ends.
        if (delay === atOnce) clock.ms += ms;
      }),
      random: () => 0.5,
    });
    const fly = (): Promise<Landing> =>
      flights.fly({
        keys: KEYS,
        nowSeconds: () => 0,
        isGood: () => true,
        exchange: async () => {
          const result = await exchange();
          if (!result.ok) refusals.remember(KEYS.caller, result.error);
          await store(result);
          return result;
        },
      });
    return { fly, refusals, drain: () => flights.drain() };
  };
  return { clock, startProcess, attempts: () => attempts, most: () => most, purged };
};

const raceOf = (outcome: () => ExchangeOutcome, check: (landings: Landing[], refusals: number) => void) =>
  fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 4 }), async (scheduler, count) => {
      const world = setUp({ delay: delayedBy(scheduler), outcome });
      const processes = Array.from({ length: count }, () => world.startProcess());
      const landings = await scheduler.waitFor(Promise.all(processes.map(({ fly }) => fly())));
      expect(world.most()).toBe(1);
      expect(world.attempts()).toBe(1);
      check(
        landings,
        processes.filter(({ refusals }) => refusals.find([KEYS.caller], 0) !== undefined).length,
      );
    }),
    { numRuns: 200 },
  );

describe('several processes that want one token', () => {
  it('make one exchange and all get what it brought, in every order of answers', async () => {
    await raceOf(
      () => ok(TOKEN),
      (landings) => {
        expect(landings.map(({ outcome }) => outcome)).toEqual(landings.map(() => ok(TOKEN)));
        expect(landings.filter(({ by }) => by === 'exchange')).toHaveLength(1);
      },
    );
  });

  it('are refused by one question, and each remembers it', async () => {
    await raceOf(
      () => err(BLOCKED),
      (landings, remembering) => {
        for (const { outcome } of landings) expect(outcome).toEqual(err(BLOCKED));
        expect(remembering).toBe(landings.length);
      },
    );
  });

  it('each ask where a refusal is not for remembering, one after the other', async () => {
    const passing = { ...BLOCKED, until: 0 };
    const world = setUp({ outcome: () => err(passing) });
    const landings = await Promise.all([world.startProcess(), world.startProcess()].map(({ fly }) => fly()));
    expect(landings.map(({ by }) => by)).toEqual(['exchange', 'exchange']);
    expect(world.most()).toBe(1);
  });

  it('go on after an exchange that threw', async () => {
    const world = setUp({
      outcome: async (attempt) => {
        if (attempt === 1) throw new Error('an adapter broke');
        return ok(TOKEN);
      },
    });
    const [first, second] = [world.startProcess(), world.startProcess()].map(({ fly }) => fly());
    await expect(first).rejects.toThrow('an adapter broke');
    expect(await second).toEqual({ by: 'exchange', outcome: ok(TOKEN) });
  });

  it('take over from one that died, when its lease has ended', async () => {
    const world = setUp({
      outcome: (attempt) => (attempt === 1 ? new Promise(() => {}) : ok(TOKEN)),
    });
    void world.startProcess().fly();
    const metrics = createMetrics('test');
    const survivor = world.startProcess(createTokenMetrics(metrics));
    expect(await survivor.fly()).toEqual({ by: 'exchange', outcome: ok(TOKEN) });
    expect(world.clock.ms).toBeGreaterThanOrEqual(LEASE_MS);
    expect(world.clock.ms).toBeLessThan(LEASE_MS + 400);
    expect((await metrics.render()).body).toMatch(/token_wait_seconds_count\{[^}]*end="turn"[^}]*\} 1/);
  });

  it('ask for themselves where nothing is shared, or a lease is never given back', async () => {
    const gone = createMemoryState(() => 0);
    await gone.stop();
    const without = setUp({ shared: gone });
    expect((await without.startProcess().fly()).by).toBe('exchange');
    const stuck = { ...createMemoryState(() => 0), claim: async () => ok(false) };
    const patient = setUp({ shared: stuck });
    expect((await patient.startProcess().fly()).by).toBe('exchange');
    expect(patient.clock.ms).toBeGreaterThanOrEqual(2 * LEASE_MS);
  });

  it('give back a lease whose claim was answered too late, once shared state answers again', async () => {
    const real = createMemoryState(() => 0, SMALL);
    let isAway = true;
    const late: SharedState = {
      ...real,
      claim: async (...claim) => {
        const claimed = await real.claim(...claim);
        return isAway ? err('unavailable') : claimed;
      },
      release: async (...release) => (isAway ? err('unavailable') : real.release(...release)),
    };
    const passing = { ...BLOCKED, until: 0 };
    const world = setUp({ shared: late, outcome: () => err(passing) });
    await world.startProcess().fly();
    isAway = false;
    await world.startProcess().fly();
    expect(world.attempts()).toBe(2);
    expect(world.clock.ms).toBeLessThan(LEASE_MS / 4);
  });

  it('drop what they hold for a caller whose session another has heard to be ended', async () => {
    const ended = { ...BLOCKED, refusal: { ...BLOCKED.refusal, reason: 'session_revoked' as const } };
    const world = setUp({ outcome: () => err(ended) });
    await world.startProcess().fly();
    expect(world.purged).toEqual([]);
    expect(await world.startProcess().fly()).toEqual({ by: 'found', outcome: err(ended) });
    expect(world.purged).toEqual(['owner']);
  });
});

describe('drain()', () => {
  it('ends when the lease of the last exchange is given back', async () => {
    let land: (outcome: ExchangeOutcome) => void = () => {};
    const landed = new Promise<ExchangeOutcome>((resolve) => {
      land = resolve;
    });
    const world = setUp({ outcome: () => landed });
    const { fly, drain } = world.startProcess();
    const flight = fly();
    await new Promise((resolve) => setImmediate(resolve));
    let isDrained = false;
    const drained = drain().then(() => {
      isDrained = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDrained).toBe(false);
    land(ok(TOKEN));
    await Promise.all([drained, flight]);
    expect((await world.startProcess().fly()).by).toBe('found');
  });
});
