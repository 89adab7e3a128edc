// A guard that sees a compressed body as it was before: what goes on is what the guard says, in no coding.

import { type BodyGuard, type BodyStep, NO_BYTES, type RefusingGuard } from '#ext-proc/body-guard.ts';
import type { BodyDecoder } from '#ext-proc/encoding/body-decoder.ts';

export const guardDecoded = (guard: RefusingGuard, decoder: BodyDecoder): BodyGuard => {
  let isRefused = false;
  const pushDecoded = async (bytes: Uint8Array, endOfStream: boolean): Promise<BodyStep> => {
    const step = await guard.push(bytes, endOfStream);
    return step.kind === 'forward' ? { kind: 'replace', bytes } : step;
  };
  return {
    push: async (chunk, endOfStream) => {
      // What is refused is read on to its end, decoded or not.
      if (isRefused) return guard.push(chunk, endOfStream);
      const decoded = await decoder.push(chunk, endOfStream);
      if (decoded.ok) return pushDecoded(decoded.value, endOfStream);
      isRefused = true;
      const refusal = guard.refuse(decoded.error);
      return refusal.kind === 'break-off' ? refusal : guard.push(NO_BYTES, endOfStream);
    },
    mayEndHere: guard.mayEndHere,
    heldBytes: guard.heldBytes,
    close: decoder.close.bind(decoder),
  };
};
