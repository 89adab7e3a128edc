// Between Envoy and the guard, on the guard's socket: lets pass so many bytes of one side, and then the connection breaks, or
// nothing moves on it any more. A process that dies or hangs is seen by Envoy as nothing else.

import { connect, createServer, type Socket } from 'node:net';

export type Cut = {
  /** Whose bytes are counted: what Envoy asks, or what the guard replies. */
  readonly side: 'asked' | 'replied';
  readonly afterBytes: number;
  readonly fault: 'break' | 'stall';
};

export type CuttingProxy = {
  /** From the next connection on; undefined lets everything pass. Breaks the connections there are. */
  arm(cut: Cut | undefined): void;
  /** True once the cut was made. */
  hasCut(): boolean;
  stop(): Promise<void>;
};

/** @param paths.at where Envoy connects. */
export const startCuttingProxy = async (paths: {
  readonly at: string;
  readonly guard: string;
}): Promise<CuttingProxy> => {
  const sockets = new Set<Socket>();
  let cut: Cut | undefined;
  let passed = 0;
  let isCut = false;

  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };

  /** What goes on of the bytes of a side. */
  const allowed = (side: Cut['side'], bytes: Buffer): Buffer => {
    if (isCut) return bytes.subarray(0, 0);
    if (cut?.side !== side) return bytes;
    const rest = cut.afterBytes - passed;
    passed += bytes.length;
    isCut = bytes.length > rest;
    return bytes.subarray(0, Math.max(0, rest));
  };

  const server = createServer((envoy) => {
    const guard = connect(paths.guard);
    const join = (from: Socket, to: Socket, side: Cut['side']): void => {
      sockets.add(from);
      from.on('data', (bytes: Buffer) => {
        to.write(allowed(side, bytes), () => {
          if (isCut && cut?.fault === 'break') breakAll();
        });
      });
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    };
    join(envoy, guard, 'asked');
    join(guard, envoy, 'replied');
  });
  await new Promise<void>((resolve) => server.listen(paths.at, resolve));
  return {
    arm: (next) => {
      breakAll();
      cut = next;
      passed = 0;
      isCut = false;
    },
    hasCut: () => isCut,
    stop: async () => {
      breakAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
