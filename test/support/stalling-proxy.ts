// A TCP proxy in front of a server that stops passing anything on when it is told to: connections stay open, and new ones
// are taken, as with a host that hangs or a network that swallows packets. Healed, it serves new ones; the old stay dead.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export type StallingProxy = {
  readonly port: number;
  stall(): void;
  heal(): void;
  stop(): Promise<void>;
};

export const startStallingProxy = async (target: {
  readonly host: string;
  readonly port: number;
}): Promise<StallingProxy> => {
  const sockets = new Set<Socket>();
  let era = { isStalled: false };
  const server = createServer((client) => {
    const mine = era;
    const upstream = connect(target.port, target.host);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('data', (bytes) => mine.isStalled || to.write(bytes));
      from.on('close', () => mine.isStalled || to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stall: () => {
      era.isStalled = true;
    },
    heal: () => {
      era = { isStalled: false };
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
};
