// A body kept back until it is whole, up to a cap. Past the cap nothing is kept: what cannot be judged is not needed.

import { err, ok, type Result } from '#core/result.ts';

export type HeldBody = {
  /** Keeps a chunk. The error means the body is too large and what was held is gone. */
  push(chunk: Uint8Array): Result<void, 'answer_too_large'>;
  /** The whole body so far, once. */
  take(): Uint8Array;
  heldBytes(): number;
};

/** @param maxBytes longest body that is held. */
export const createHeldBody = (maxBytes: number): HeldBody => {
  let chunks: Uint8Array[] = [];
  let held = 0;
  const drop = (): void => {
    chunks = [];
    held = 0;
  };
  return {
    push: (chunk) => {
      if (held + chunk.length > maxBytes) {
        drop();
        return err('answer_too_large');
      }
      chunks.push(chunk);
      held += chunk.length;
      return ok(undefined);
    },
    take: () => {
      const body = Buffer.concat(chunks);
      drop();
      return body;
    },
    heldBytes: () => held,
  };
};
