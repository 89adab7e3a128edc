// What a service takes beside the snapshot: revocations, and which tools drift. It is kept in the same copy, each for those
// who take it.

import { type DriftState, NO_DRIFT } from '#core/drift-book.ts';
import type { Revocation } from '#core/revocation.ts';
import { EMPTY_LOG, type RevocationBook } from '#core/revocation-book.ts';
import { createReceivedDrift } from '#registry/feed/received-drift.ts';
import { createReceivedRevocations } from '#registry/feed/received-revocations.ts';
import type { SavedSnapshot } from '#registry/feed/snapshot-records.ts';

type Kept = Pick<SavedSnapshot, 'revocations' | 'drift'>;

/** Messages that bring it. */
export type StateMessage = 'revocation' | 'drift';

export type ReceivedState = {
  readonly revocations: RevocationBook;
  drift(): DriftState;
  /**
   * Takes what an earlier process has kept. False: it kept less than this one takes, which is no proof that there was
   * nothing, and everything has to be asked for again.
   */
  restore(kept: Kept): boolean;
  /** A connection begins. @param isWhole everything follows. */
  began(isWhole: boolean): void;
  /** False: it cannot be understood. */
  receive(message: StateMessage, bytes: Uint8Array): boolean;
  caughtUp(): void;
  /** For the copy on disk. */
  kept(): Kept;
};

/**
 * @param takes.onRevocations is told what is new; absent: this service takes none.
 * @param takes.drift whether it takes which tools drift.
 */
export const createReceivedState = (takes: {
  readonly onRevocations: ((revocations: readonly Revocation[]) => void) | undefined;
  readonly drift: boolean;
}): ReceivedState => {
  const { onRevocations } = takes;
  const revocations = createReceivedRevocations((arrived) => onRevocations?.(arrived));
  const drift = createReceivedDrift();
  return {
    revocations: revocations.book,
    drift: drift.current,
    restore: (kept) => {
      revocations.restore(kept.revocations ?? EMPTY_LOG);
      drift.restore(kept.drift ?? NO_DRIFT);
      return (
        (kept.revocations !== undefined || onRevocations === undefined) &&
        (kept.drift !== undefined || !takes.drift)
      );
    },
    began: drift.began,
    receive: (message, bytes) => (message === 'drift' ? drift.receive(bytes) : revocations.receive(bytes)),
    caughtUp: drift.caughtUp,
    kept: () => ({
      ...(onRevocations === undefined ? {} : { revocations: revocations.log() }),
      ...(takes.drift ? { drift: drift.current() } : {}),
    }),
  };
};
