// A body kept back until it is whole, up to a cap. Past the cap nothing is kept: what cannot be judged is not needed.

import { err, ok, type Result } from '#core/result.ts';
import { createByteStore } from '#ext-proc/framing/byte-store.ts';

export type HeldBody = {
  /** Keeps a chunk. The error means the body is too large and what was held is gone. */
  push(chunk: Uint8Array): Result<void, 'answer_too_large'>;
  /** The whole body so far, once. */
  take(): Uint8Array;
  heldBytes(): number;
};

/** @param maxBytes longest body that is held. */
export const createHeldBody = (maxBytes: number): HeldBody => {
  const store = createByteStore();
  return {
    push: (chunk) => {
      if (store.size() + chunk.length > maxBytes) {
        store.take();
        return err('answer_too_large');
      }
      store.add(chunk);
      return ok(undefined);
    },
    take: store.take,
    heldBytes: store.size,
  };
};
