// Which DPoP proofs were used at any of several processes: asked of this one's memory first, then of what they share. It
// decides nothing: while the others cannot be asked it says so.

import { createReplayMemory, proofId, type ReplayMemory } from '#ext-authz/identity/dpop-replay.ts';
import type { OpenedState } from '#runtime/shared-state/open.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

/** How far the clocks of two processes may be apart: a proof passes at the slower one for so much longer. */
const CLOCK_SKEW_SECONDS = 30;

/**
 * One memory over all processes. A proof that is known here, or that there is no room for, costs the others nothing, so
 * what one caller or tenant can fill is bounded there as it is here.
 * @param parts.holder names this process; a mark is never given back.
 */
export const createSharedReplayMemory = (parts: {
  readonly local: ReplayMemory;
  readonly shared: SharedState;
  readonly holder: string;
}): ReplayMemory => ({
  use: async (proof, time) => {
    const here = await parts.local.use(proof, time);
    if (here !== 'fresh') return here;
    const claimed = await parts.shared.claim(`dpop ${proofId(proof)}`, {
      holder: parts.holder,
      lifetimeMs: (time.windowSeconds + CLOCK_SKEW_SECONDS) * 1_000,
    });
    if (!claimed.ok) return 'fresh_here';
    return claimed.value ? 'fresh' : 'used';
  },
});

/** What is remembered of proofs as the deployment has it: by this process alone, or together. */
export const openReplayMemory = (
  { state, isShared }: Pick<OpenedState, 'state' | 'isShared'>,
  holder: string,
): ReplayMemory => {
  const local = createReplayMemory();
  return isShared ? createSharedReplayMemory({ local, shared: state, holder }) : local;
};
