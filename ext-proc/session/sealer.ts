// What sealing takes from the world: the key of the moment, randomness, the time.

import { randomBytes } from 'node:crypto';
import { NONCE_BYTES } from '#core/sealed-bytes.ts';
import type { Sealer } from '#ext-proc/session/seal-answer.ts';
import type { SessionKeyRing } from '#runtime/session-keys.ts';

export const createSealer = (ring: SessionKeyRing): Sealer => ({
  key: () => ring.current().current,
  nonce: () => randomBytes(NONCE_BYTES),
  nowMs: Date.now,
});
