// A body kept back until it is whole, up to a cap.

import { createByteStore } from '#ext-proc/framing/byte-store.ts';

export type HeldBody = {
  /** Keeps a chunk. False: the body is too large with it, and it was not kept. */
  push(chunk: Uint8Array): boolean;
  /** The whole body so far, once. */
  take(): Uint8Array;
  heldBytes(): number;
};

/** @param maxBytes longest body that is held. */
export const createHeldBody = (maxBytes: number): HeldBody => {
  const store = createByteStore();
  return {
    push: (chunk) => {
      if (store.size() + chunk.length > maxBytes) return false;
      store.add(chunk);
      return true;
    },
    take: store.take,
    heldBytes: store.size,
  };
};
