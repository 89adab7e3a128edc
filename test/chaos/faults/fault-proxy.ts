// Stands on the link between two processes, TCP or Unix socket, and does to it what networks do: delays, loses, throttles,
// cuts and falls silent, on connections that live as on new ones. It needs no privilege, and the same seed does the same.

import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { type Address, netOptions } from '#runtime/address.ts';
import type { LinkFault } from '#test/chaos/faults/link-fault.ts';
import { type OneWay, startOneWay } from '#test/chaos/faults/one-way.ts';
import { createRandom } from '#test/chaos/random.ts';

export type FaultProxy = {
  /** Replaces what is wrong with the link, for the connections there are and those to come; `{}`: nothing. */
  set(fault: LinkFault): void;
  /** Whether new connections are taken and then neither answered nor passed on: a process that hangs, as its peer sees it. */
  takeInVain(isVain: boolean): void;
  /**
   * Breaks every connection there is, at both ends; new ones are served. `reset` is TCP's RST, which a Unix socket does not
   * have: there both are an end.
   */
  cut(how: 'reset' | 'end'): void;
  /** Connections there are never carry anything again, and nobody is told: the other machine is gone. New ones are served. */
  strand(): void;
  /** Connections of which an end is still open. */
  connections(): number;
  stop(): Promise<void>;
};

type Pair = { readonly ends: readonly Socket[]; readonly ways: readonly OneWay[]; isStranded: boolean };

const breakOff = (socket: Socket, how: 'reset' | 'end'): void => {
  if (how === 'reset' && socket.remoteAddress !== undefined) socket.resetAndDestroy();
  else socket.destroy();
};

/** What happens to one end happens to the other, unless the link is dead: then nobody hears of it. */
const joinEnds = (pair: Pair): void => {
  const [one, other] = pair.ends;
  if (one === undefined || other === undefined) return;
  for (const [here, there] of [
    [one, other],
    [other, one],
  ] as const) {
    here.on('error', () => {
      if (!pair.isStranded) breakOff(there, 'reset');
    });
    here.on('close', () => {
      if (!pair.isStranded && !here.readableEnded) there.destroy();
    });
  }
};

/**
 * Starts to listen at `at` and dials `target` for each connection, which is refused with an end where nobody listens there.
 * @throws what listening throws.
 */
export const startFaultProxy = async (options: {
  readonly at: Address;
  readonly target: Address;
  readonly seed?: number;
}): Promise<FaultProxy> => {
  const { at, target, seed = 1 } = options;
  const pairs = new Set<Pair>();
  let fault: LinkFault = {};
  let isVain = false;
  let accepted = 0;

  const enter = (pair: Pair): void => {
    pairs.add(pair);
    const forget = (): void => {
      if (pair.ends.every((socket) => socket.destroyed)) pairs.delete(pair);
    };
    for (const socket of pair.ends) socket.once('close', forget);
  };
  const accept = (client: Socket): void => {
    accepted += 1;
    if (isVain) {
      client.on('error', () => undefined);
      enter({ ends: [client], ways: [], isStranded: true });
      return;
    }
    const server = createConnection({ ...netOptions(target), allowHalfOpen: true });
    const { next: random } = createRandom(seed * 1_000_003 + accepted);
    const parts = { faultNow: () => fault, random };
    const ways = [startOneWay(client, server, parts), startOneWay(server, client, parts)];
    const pair: Pair = { ends: [client, server], ways, isStranded: false };
    joinEnds(pair);
    enter(pair);
  };
  const each = (run: (pair: Pair) => void): void => {
    for (const pair of [...pairs]) run(pair);
  };
  const cut = (how: 'reset' | 'end'): void =>
    each((pair) => {
      for (const socket of pair.ends) breakOff(socket, how);
    });

  if (at.kind === 'unix') rmSync(at.path, { force: true });
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, accept);
  listener.listen({ ...netOptions(at), backlog: 4_096 });
  await once(listener, 'listening');
  return {
    set: (next) => {
      fault = next;
      each(({ ways }) => {
        for (const way of ways) way.changed();
      });
    },
    takeInVain: (next) => {
      isVain = next;
    },
    cut,
    strand: () =>
      each((pair) => {
        pair.isStranded = true;
        for (const way of pair.ways) way.strand();
      }),
    connections: () => pairs.size,
    stop: async () => {
      const closed = once(listener, 'close');
      listener.close();
      cut('end');
      await closed;
    },
  };
};
