// Which tools drift, as a service has been told. What comes counts at once: it only refuses, or lets pass what the registry
// lets pass. When everything is told anew, what was known goes on counting until the registry has said that this was all.

import { Compile } from 'typebox/compile';
import { type DriftState, NO_DRIFT, type ServerDrift, withDrift } from '#core/drift-book.ts';
import { parseChecked } from '#registry/feed/checked-json.ts';
import { ServerDriftSchema } from '#registry/feed/schema/drift-schema.ts';

export type ReceivedDrift = {
  current(): DriftState;
  /** What an earlier process has kept. */
  restore(state: DriftState): void;
  /** A connection begins. @param isWhole everything follows. */
  began(isWhole: boolean): void;
  /** False: it cannot be understood. */
  receive(bytes: Uint8Array): boolean;
  caughtUp(): void;
};

const check = Compile(ServerDriftSchema);

export const createReceivedDrift = (): ReceivedDrift => {
  let state = NO_DRIFT;
  /** While everything is told anew: what has come of it. */
  let anew: DriftState | undefined;
  return {
    current: () => state,
    restore: (kept) => {
      state = kept;
    },
    began: (isWhole) => {
      anew = isWhole ? NO_DRIFT : undefined;
    },
    receive: (bytes) => {
      const parsed = parseChecked<ServerDrift>(check, bytes);
      if (!parsed.ok) return false;
      state = withDrift(state, parsed.value);
      if (anew !== undefined) anew = withDrift(anew, parsed.value);
      return true;
    },
    caughtUp: () => {
      // The same object where nothing was dropped: the copy on disk is told by it that nothing changed.
      if (anew !== undefined && anew.size !== state.size) state = anew;
      anew = undefined;
    },
  };
};
