// Whose exchange is next: as many at once as a provider takes, tenants in turn, within a tenant first come. Pure; it
// starts nothing and knows no time.

export type FairQueueLimits = {
  /** Running at once, of all tenants. */
  readonly atOnce: number;
  /** Running at once of one tenant. Less than `atOnce`, so that a tenant whose provider hangs leaves room to others. */
  readonly perTenant: number;
  /** Waiting, of all tenants. */
  readonly waiting: number;
};

export type Entrance<Ticket> =
  | { readonly kind: 'starts' }
  /** `turnedAway`: who had to make room. */
  | { readonly kind: 'waits'; readonly turnedAway?: Ticket }
  | { readonly kind: 'full' };

/** Tickets are told apart by identity. */
export type FairQueue<Ticket> = {
  enter(tenantId: string, ticket: Ticket): Entrance<Ticket>;
  /** Gives up waiting; false if it was not. */
  leave(tenantId: string, ticket: Ticket): boolean;
  /** One of a tenant's has ended. @returns the ticket that starts in its place */
  finish(tenantId: string): Ticket | undefined;
  readonly running: number;
  readonly waiting: number;
};

class TurnTaking<Ticket> implements FairQueue<Ticket> {
  readonly #limits: FairQueueLimits;
  readonly #runningOf = new Map<string, number>();
  /** In order of turns: who is first in here is next, and goes to the end when served. */
  readonly #lines = new Map<string, Set<Ticket>>();
  #running = 0;
  #waiting = 0;

  constructor(limits: FairQueueLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  enter(tenantId: string, ticket: Ticket): Entrance<Ticket> {
    // Whoever waits although there is room waits for the bound of its own tenant, which comes before this ticket too.
    if (this.#running < this.#limits.atOnce && this.#hasRoom(tenantId)) {
      this.#start(tenantId);
      return { kind: 'starts' };
    }
    if (this.#waiting < this.#limits.waiting) {
      this.#line(tenantId, ticket);
      return { kind: 'waits' };
    }
    return this.#makeRoom(tenantId, ticket);
  }

  leave(tenantId: string, ticket: Ticket): boolean {
    const line = this.#lines.get(tenantId);
    if (line?.delete(ticket) !== true) return false;
    if (line.size === 0) this.#lines.delete(tenantId);
    this.#waiting -= 1;
    return true;
  }

  finish(tenantId: string): Ticket | undefined {
    const left = (this.#runningOf.get(tenantId) ?? 0) - 1;
    if (left > 0) this.#runningOf.set(tenantId, left);
    else this.#runningOf.delete(tenantId);
    this.#running -= 1;
    return this.#startNext();
  }

  #hasRoom(tenantId: string): boolean {
    return (this.#runningOf.get(tenantId) ?? 0) < this.#limits.perTenant;
  }

  #start(tenantId: string): void {
    this.#runningOf.set(tenantId, (this.#runningOf.get(tenantId) ?? 0) + 1);
    this.#running += 1;
  }

  #line(tenantId: string, ticket: Ticket): void {
    this.#lines.set(tenantId, (this.#lines.get(tenantId) ?? new Set()).add(ticket));
    this.#waiting += 1;
  }

  #startNext(): Ticket | undefined {
    for (const [tenantId, line] of this.#lines) {
      const [ticket] = line;
      if (ticket === undefined || !this.#hasRoom(tenantId)) continue;
      this.leave(tenantId, ticket);
      if (this.#lines.delete(tenantId)) this.#lines.set(tenantId, line);
      this.#start(tenantId);
      return ticket;
    }
    return undefined;
  }

  /** A full queue is the fault of the longest line: its last makes room, or else a burst of one tenant shuts out all. */
  #makeRoom(tenantId: string, ticket: Ticket): Entrance<Ticket> {
    const [longest] = [...this.#lines].toSorted(([, a], [, b]) => b.size - a.size);
    if (longest === undefined) return { kind: 'full' };
    const [crowd, line] = longest;
    const turnedAway = [...line].at(-1);
    const ours = this.#lines.get(tenantId)?.size ?? 0;
    if (turnedAway === undefined || ours + 1 >= line.size) return { kind: 'full' };
    this.leave(crowd, turnedAway);
    this.#line(tenantId, ticket);
    return { kind: 'waits', turnedAway };
  }
}

/** An empty queue for one provider. */
export const createFairQueue = <Ticket extends object>(limits: FairQueueLimits): FairQueue<Ticket> =>
  new TurnTaking<Ticket>(limits);
