// The revocations a service has been told. Each counts from the moment it comes, whatever else of a catch-up is still on its
// way: it only refuses, so half of them are better than none. They outlive a change of the registry's database: one that was
// restored from a backup has forgotten marks that still hold, and a mark too many costs a sign-in.

import { Compile } from 'typebox/compile';
import type { Revocation } from '#core/revocation.ts';
import { createRevocationBook, type RevocationBook, type RevocationLog } from '#core/revocation-book.ts';
import { parseChecked } from '#registry/feed/checked-json.ts';
import { RevocationSchema } from '#registry/feed/schema/revocation-schema.ts';

export type ReceivedRevocations = {
  readonly book: RevocationBook;
  /** What an earlier process has kept. */
  restore(log: RevocationLog): void;
  /** False: it cannot be understood. */
  receive(bytes: Uint8Array): boolean;
  log(): RevocationLog;
};

const check = Compile(RevocationSchema);

/**
 * @param onArrived is told what is new: in one go what arrives in one turn of the event loop, and nothing of what was
 *   restored.
 */
export const createReceivedRevocations = (
  onArrived: (revocations: readonly Revocation[]) => void,
): ReceivedRevocations => {
  const book = createRevocationBook();
  let arrived: Revocation[] = [];
  const nowSeconds = (): number => Math.floor(Date.now() / 1000);
  const announce = (): void => {
    const told = arrived;
    arrived = [];
    onArrived(told);
  };
  return {
    book,
    restore: ({ entries, length }) => {
      for (const revocation of entries.slice(0, length)) book.take(revocation, nowSeconds());
    },
    receive: (bytes) => {
      const parsed = parseChecked<Revocation>(check, bytes);
      if (!parsed.ok) return false;
      if (!book.take(parsed.value, nowSeconds())) return true;
      if (arrived.length === 0) setImmediate(announce);
      arrived.push(parsed.value);
      return true;
    },
    log: () => book.log(),
  };
};
