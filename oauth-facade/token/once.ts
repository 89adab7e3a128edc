// What may happen once: a state comes back, a code is spent. Where nobody can say whether it was before, it may not.

import { createHash } from 'node:crypto';
import { ok, type Result } from '#core/result.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

export const UNKNOWN = 'It cannot be found out at the moment whether this was used before.';

/** Keys are one length, whatever they are made of. */
export const markKey = (what: string): string =>
  `facade ${createHash('sha256').update(what).digest('base64url')}`;

/**
 * True for whoever comes first.
 * @param lifetimeSeconds at least as long as it could be tried again
 */
export const claimOnce = async (
  state: SharedState,
  what: string,
  lifetimeSeconds: number,
): Promise<Result<boolean, Refusal>> => {
  const claimed = await state.claim(markKey(what), { holder: 'used', lifetimeMs: lifetimeSeconds * 1000 });
  return claimed.ok ? ok(claimed.value) : refuse('temporarily_unavailable', UNKNOWN);
};
