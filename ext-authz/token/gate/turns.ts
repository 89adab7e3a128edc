// Waiting for a turn at a provider. A provider is an origin: its connections are what is shared, and directories of one
// cloud share them.

import { err, ok, type Result } from '#core/result.ts';
import { createFairQueue, type FairQueue, type FairQueueLimits } from '#ext-authz/token/gate/fair-queue.ts';

export type Visit = {
  /** Origin of the token endpoint. */
  readonly origin: string;
  readonly tenantId: string;
  /** Aborted when nobody waits for the outcome any more; absent: somebody always does. */
  readonly abandoned?: AbortSignal;
};

/** `full`: not taken in, or had to make room. `abandoned`: gave up. */
export type NoTurn = 'full' | 'abandoned';

export type Turns = {
  /** Resolves when it is the visit's turn, with what ends it; that must be called, once. */
  take(visit: Visit): Promise<Result<() => void, NoTurn>>;
  /** Of all providers. */
  running(): number;
  waiting(): number;
};

type Ticket = { readonly settle: (turn: 'start' | NoTurn) => void };

class Line implements Turns {
  readonly #limits: FairQueueLimits;
  /** Of providers that are being asked; an idle one has none. */
  readonly #queues = new Map<string, FairQueue<Ticket>>();

  constructor(limits: FairQueueLimits) {
    this.#limits = limits;
  }

  async take({ origin, tenantId, abandoned }: Visit): Promise<Result<() => void, NoTurn>> {
    if (abandoned?.aborted === true) return err('abandoned');
    const queue = this.#queueOf(origin);
    const { promise, resolve } = Promise.withResolvers<'start' | NoTurn>();
    const ticket: Ticket = { settle: resolve };
    const entrance = queue.enter(tenantId, ticket);
    if (entrance.kind === 'full') return err('full');
    if (entrance.kind === 'waits') {
      entrance.turnedAway?.settle('full');
      const giveUp = (): void => void (queue.leave(tenantId, ticket) && resolve('abandoned'));
      abandoned?.addEventListener('abort', giveUp, { once: true });
      const turn = await promise;
      abandoned?.removeEventListener('abort', giveUp);
      if (turn !== 'start') return err(turn);
    }
    return ok(() => this.#end(origin, tenantId));
  }

  running(): number {
    return this.#sum((queue) => queue.running);
  }

  waiting(): number {
    return this.#sum((queue) => queue.waiting);
  }

  #sum(count: (queue: FairQueue<Ticket>) => number): number {
    return [...this.#queues.values()].reduce((sum, queue) => sum + count(queue), 0);
  }

  #queueOf(origin: string): FairQueue<Ticket> {
    const queue = this.#queues.get(origin) ?? createFairQueue<Ticket>(this.#limits);
    this.#queues.set(origin, queue);
    return queue;
  }

  #end(origin: string, tenantId: string): void {
    const queue = this.#queueOf(origin);
    queue.finish(tenantId)?.settle('start');
    if (queue.running === 0 && queue.waiting === 0) this.#queues.delete(origin);
  }
}

/** Nobody runs, nobody waits. */
export const createTurns = (limits: FairQueueLimits): Turns => new Line(limits);
