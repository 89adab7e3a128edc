// Guards an answer that has nothing to judge and may stay open for long: it passes unchanged, and because it passes
// through us it can be ended.

import type { BodyGuard } from '#ext-proc/body-guard.ts';

export const createForwardGuard = (): BodyGuard => ({
  push: () => ({ kind: 'forward' }),
  mayEndHere: () => true,
  heldBytes: () => 0,
});
