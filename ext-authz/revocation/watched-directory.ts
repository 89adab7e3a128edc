// One watched directory over time: rounds by the clock, looks when somebody says that a person changed, and how fresh what
// it knows is.

import type { DirectoryHint } from '#core/feed-message.ts';
import type { Result } from '#core/result.ts';
import type { ActivePeople } from '#ext-authz/revocation/active-people.ts';
import type { GraphChannel } from '#ext-authz/revocation/graph-channel.ts';
import type { RoundFault } from '#ext-authz/revocation/graph-look.ts';
import { lookAgain } from '#runtime/look-again.ts';

export type WatchedDirectory = {
  readonly people: ActivePeople;
  /** What Graph tells of the directory; none of it is believed, it only says what to ask. */
  hint(hint: DirectoryHint): void;
  /** True where nothing new has been known for longer than the bound; a moment ago counts from when the watch began. */
  isStale(maxStaleSeconds: number, nowSeconds: number): boolean;
  stop(): void;
};

/** Notifications come in handfuls: one look for all of them. */
const GATHER_MS = 100;

/** How often it is asked whose turn it is to see to the standing order. */
const ORDER_MS = 600_000;

/**
 * Begins with a round at once.
 * @param parts.onOutcome hears how each round and look ended.
 */
export const watchDirectory = (parts: {
  readonly channel: GraphChannel;
  readonly people: ActivePeople;
  readonly pollSeconds: number;
  readonly onOutcome: (outcome: Result<true, RoundFault>) => void;
  /** Sees to the standing order to be told of changes; absent: there is to be none. Must not reject. */
  readonly keepOrder?: (isDoubtful: boolean) => Promise<void>;
  readonly nowSeconds: () => number;
}): WatchedDirectory => {
  const { channel, people, nowSeconds, onOutcome } = parts;
  const gathered = new Set<string>();
  let gathering: NodeJS.Timeout | undefined;
  let freshAt = nowSeconds();

  let running: Promise<void> | undefined;

  const runRound = async (): Promise<void> => {
    const begun = nowSeconds();
    const outcome = await channel.round(begun);
    running = undefined;
    if (outcome.ok) freshAt = begun;
    onOutcome(outcome);
  };

  /** One round at a time: two would sweep from the same place, and say everything twice. */
  const round = (): Promise<void> => {
    running ??= runRound();
    return running;
  };

  /** What was missed may have been missed by the round that is running. */
  const sweepAnew = async (): Promise<void> => {
    await running;
    await round();
  };

  const lookAtGathered = async (): Promise<void> => {
    gathering = undefined;
    const oids = [...gathered];
    gathered.clear();
    onOutcome(await channel.look(oids, nowSeconds()));
  };

  const look = (oids: readonly string[]): void => {
    for (const oid of oids) gathered.add(oid);
    gathering ??= setTimeout(() => void lookAtGathered(), GATHER_MS).unref();
  };

  const seeToOrder = async (isDoubtful = false): Promise<void> => parts.keepOrder?.(isDoubtful);

  void round();
  void seeToOrder();
  const stopRounds = lookAgain(round, parts.pollSeconds * 1_000);
  const stopOrders = lookAgain(seeToOrder, ORDER_MS);
  return {
    people,
    hint: (hint) => {
      if (hint.kind === 'look-at-users') look(hint.oids);
      else if (hint.kind === 'sweep-now') void sweepAnew();
      else void seeToOrder(true);
    },
    isStale: (maxStaleSeconds, now) => now - freshAt > maxStaleSeconds,
    stop: () => {
      stopRounds();
      stopOrders();
      clearTimeout(gathering);
    },
  };
};
