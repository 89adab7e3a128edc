// Guards an answer that has nothing to judge and may stay open for long: it passes unchanged, and because it passes
// through us it can be ended.

import { type GuardReport, NO_BYTES, type RefusingGuard } from '#ext-proc/body-guard.ts';

export const createForwardGuard = (report: GuardReport): RefusingGuard => ({
  push: () => ({ kind: 'forward' }),
  mayEndHere: () => true,
  heldBytes: () => 0,
  refuse: (fault) => {
    report.refused(fault);
    return { kind: 'break-off', bytes: NO_BYTES };
  },
});
