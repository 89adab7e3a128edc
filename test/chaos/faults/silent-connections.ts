// Thousands of connections to one port that are opened and then say nothing, or begin to speak and stop: what they hold is a
// place that others want.

import { connect, type Socket } from 'node:net';

/** `mute`: nothing is sent. `begun`: half of a request's head. */
export type Silence = 'mute' | 'begun';

export type SilentConnections = {
  /** How many are still open. */
  open(): number;
  /** Lets go of all of them. */
  stop(): void;
};

const HALF_A_HEAD = 'POST /mcp/any HTTP/1.1\r\nHost: gateway\r\nContent-Le';

/** Connections under way at once: a listener's queue holds no more than some hundreds. */
const AT_ONCE = 200;

const dial = (port: number, silence: Silence, sockets: Set<Socket>): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      if (silence === 'begun') socket.write(HALF_A_HEAD);
      resolve();
    });
    sockets.add(socket);
    socket.on('error', () => undefined).resume();
    socket.on('close', () => {
      sockets.delete(socket);
      resolve();
    });
  });

/** Opens so many; resolves when each of them was taken or refused. */
export const openSilentConnections = async (
  port: number,
  count: number,
  silence: (index: number) => Silence,
): Promise<SilentConnections> => {
  const sockets = new Set<Socket>();
  for (let from = 0; from < count; from += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - from);
    await Promise.all(Array.from({ length: size }, (_, index) => dial(port, silence(from + index), sockets)));
  }
  return {
    open: () => sockets.size,
    stop: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
};
