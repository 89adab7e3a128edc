// A cap on all of an answer, however it comes: a stream that stays below the cap of one event adds up.

import { tooLarge } from '#ext-proc/answer-fault.ts';
import type { RefusingGuard } from '#ext-proc/body-guard.ts';

/** @param maxBytes of the whole body, as the server sent it, without its compression. */
export const capAnswer = (guard: RefusingGuard, maxBytes: number): RefusingGuard => {
  let total = 0;
  return {
    ...guard,
    push: (chunk, endOfStream) => {
      total += chunk.length;
      return total > maxBytes ? guard.refuse(tooLarge('body_too_large')) : guard.push(chunk, endOfStream);
    },
  };
};
