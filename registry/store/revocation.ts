// The registry's words for marks that end what callers held: what is written, and what comes back.

import type { Revocation } from '#core/revocation.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';

export type StoredRevocation = Revocation & {
  /** Of the commit that made or moved it last; orders a list. */
  readonly sequence: number;
};

export type RevocationWrite = {
  /** As it is to be; its id only where there is none of this target yet. */
  readonly revocation: Revocation;
  readonly record: ChangeRecord;
  /** Seconds since the epoch; marks that have ended by then are forgotten. */
  readonly nowSeconds: number;
};

/** `changed` is false where a mark of the same target says as much, or more: that is the one that is given back. */
export type RecordedRevocation = { readonly stored: StoredRevocation; readonly changed: boolean };
