// The queue under any order of comings and goings, against what its words promise.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFairQueue, type FairQueue } from '#ext-authz/token/gate/fair-queue.ts';

type Ticket = { readonly tenant: string; readonly number: number };

const TENANTS = ['a', 'b', 'c', 'd'] as const;
const LIMITS = { atOnce: 4, perTenant: 3, waiting: 6 };

const tenantOf = (pick: number): string => TENANTS[pick % TENANTS.length] ?? 'a';
const of = (tickets: readonly Ticket[], tenant: string): readonly Ticket[] =>
  tickets.filter((ticket) => ticket.tenant === tenant);
const remove = (tickets: Ticket[], ticket: Ticket): void => void tickets.splice(tickets.indexOf(ticket), 1);

/** The queue, and beside it what it should know by its words alone. */
class WatchedQueue {
  readonly queue: FairQueue<Ticket> = createFairQueue<Ticket>(LIMITS);
  readonly running: Ticket[] = [];
  readonly waiting: Ticket[] = [];

  enter(pick: number, number: number): void {
    const ticket = { tenant: tenantOf(pick), number };
    const entrance = this.queue.enter(ticket.tenant, ticket);
    if (entrance.kind === 'starts') this.running.push(ticket);
    if (entrance.kind === 'full') this.#expectFullFor(ticket);
    if (entrance.kind !== 'waits') return;
    this.waiting.push(ticket);
    if (entrance.turnedAway !== undefined) this.#turnAway(entrance.turnedAway);
  }

  finish(pick: number): void {
    const done = this.running[pick % this.running.length];
    if (done === undefined) return;
    remove(this.running, done);
    const next = this.queue.finish(done.tenant);
    if (next === undefined) return;
    expect(next, 'within a tenant first come').toBe(of(this.waiting, next.tenant)[0]);
    remove(this.waiting, next);
    this.running.push(next);
  }

  leave(pick: number): void {
    const gone = this.waiting[pick % this.waiting.length];
    if (gone === undefined) return;
    expect([this.queue.leave(gone.tenant, gone), this.queue.leave(gone.tenant, gone)]).toEqual([true, false]);
    remove(this.waiting, gone);
  }

  expectSound(): void {
    expect([this.queue.running, this.queue.waiting]).toEqual([this.running.length, this.waiting.length]);
    expect(this.running.length).toBeLessThanOrEqual(LIMITS.atOnce);
    expect(this.waiting.length).toBeLessThanOrEqual(LIMITS.waiting);
    const isRoom = this.running.length < LIMITS.atOnce;
    for (const tenant of TENANTS) {
      const running = of(this.running, tenant).length;
      expect(running).toBeLessThanOrEqual(LIMITS.perTenant);
      if (isRoom && running < LIMITS.perTenant)
        expect(of(this.waiting, tenant), 'waits for nothing').toEqual([]);
    }
  }

  #longest(): number {
    return Math.max(...TENANTS.map((tenant) => of(this.waiting, tenant).length));
  }

  #expectFullFor({ tenant }: Ticket): void {
    expect(this.waiting).toHaveLength(LIMITS.waiting);
    expect(of(this.waiting, tenant).length + 1, 'only the longest line is shut').toBeGreaterThanOrEqual(
      this.#longest(),
    );
  }

  #turnAway(ticket: Ticket): void {
    const line = of(this.waiting, ticket.tenant);
    expect(line, 'the longest line makes room').toHaveLength(this.#longest());
    expect(ticket, 'its last does').toBe(line.at(-1));
    remove(this.waiting, ticket);
  }
}

const STEP = fc.tuple(fc.constantFrom('enter', 'enter', 'enter', 'finish', 'leave'), fc.nat(11));

const count = <T>(items: readonly T[], wanted: T): number => items.filter((item) => item === wanted).length;

describe('a fair queue', () => {
  it('keeps its bounds and its order, whoever comes, ends and gives up', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 120 }), (steps) => {
        const watched = new WatchedQueue();
        steps.forEach(([kind, pick], number) => {
          watched[kind as 'enter' | 'finish' | 'leave'](pick, number);
          watched.expectSound();
        });
      }),
      { numRuns: 300 },
    );
  });

  it('serves nobody twice before everybody who waits was served once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 10, maxLength: 100 }), (picks) => {
        const queue = createFairQueue<Ticket>({ atOnce: 1, perTenant: 1, waiting: 1_000 });
        const arrivals = picks.map(tenantOf);
        arrivals.forEach((tenant, number) => void queue.enter(tenant, { tenant, number }));
        const served = arrivals.slice(0, 1);
        for (let next = queue.finish(served[0] ?? ''); next !== undefined; next = queue.finish(next.tenant)) {
          served.push(next.tenant);
        }
        expect(served.toSorted()).toEqual(arrivals.toSorted());
        const turns = served.slice(1);
        turns.forEach((tenant, index) => {
          const between = turns.slice(turns.lastIndexOf(tenant, index - 1) + 1, index);
          for (const other of index === 0 ? [] : between) expect(count(between, other)).toBe(1);
        });
      }),
    );
  });

  it('lets one user in after at most one exchange of another tenant’s thousand', () => {
    const queue = createFairQueue<Ticket>({ atOnce: 24, perTenant: 18, waiting: 2_000 });
    for (let number = 0; number < 1_000; number += 1) queue.enter('a', { tenant: 'a', number });
    for (let number = 1; number <= 6; number += 1) {
      expect(queue.enter('b', { tenant: 'b', number })).toEqual({ kind: 'starts' });
    }
    const late = { tenant: 'c', number: 7 };
    expect(queue.enter('c', late)).toEqual({ kind: 'waits' });
    expect([queue.finish('a')?.tenant, queue.finish('a')]).toEqual(['a', late]);
  });

  it('gives the room of a crowd to who comes alone, even when it is full', () => {
    const queue = createFairQueue<Ticket>({ atOnce: 1, perTenant: 1, waiting: 3 });
    const crowd = [0, 1, 2, 3].map((number) => ({ tenant: 'a', number }));
    for (const ticket of crowd) queue.enter('a', ticket);
    expect(queue.enter('a', { tenant: 'a', number: 4 })).toEqual({ kind: 'full' });
    const alone = { tenant: 'b', number: 5 };
    expect(queue.enter('b', alone)).toEqual({ kind: 'waits', turnedAway: crowd[3] });
    expect([queue.finish('a'), queue.finish('a')]).toEqual([crowd[1], alone]);
  });
});
