// Seals the session an `initialize` has opened: what the server called it goes in, with the replica that made it, and only
// the sealed id goes on. An id that cannot be sealed fails the answer; none is ever passed on as it is.

import type { GuardOrders } from '#core/guard-orders.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type SessionOwner, sealSession } from '#core/sealed-session.ts';
import type { SessionKey } from '#core/session-key.ts';
import { type AnswerFault, refused } from '#ext-proc/answer-fault.ts';
import type { AnswerHead } from '#ext-proc/answer-head.ts';

export type Sealer = {
  readonly key: () => SessionKey;
  /** 12 random bytes. */
  readonly nonce: () => Uint8Array;
  readonly nowMs: () => number;
};

export const ownerOf = ({ tenantId, serverId, principal, caller }: GuardOrders): SessionOwner => ({
  tenantId,
  serverId,
  principal,
  applications: caller?.applications ?? [],
});

const isSuccess = ({ status }: AnswerHead): boolean => status >= 200 && status <= 299;

/**
 * The id for the client; undefined where the answer opens no session.
 * @param replica `address:port` of who answered.
 */
export const sealAnswer = (
  { head, replica }: { readonly head: AnswerHead; readonly replica: string | undefined },
  orders: GuardOrders,
  { key, nonce, nowMs }: Sealer,
): Result<string | undefined, AnswerFault> => {
  const [id, ...more] = head.sessionIds;
  if (orders.guard !== 'session' || id === undefined || !isSuccess(head)) return ok(undefined);
  if (more.length > 0) return err(refused('session_id'));
  if (replica === undefined) return err(refused('replica_unknown'));
  const startedAt = Math.floor(nowMs() / 1000);
  const session = { id, host: replica, version: orders.version, startedAt };
  const sealed = sealSession(key(), nonce(), { session, owner: ownerOf(orders) });
  return sealed === undefined ? err(refused('session_id')) : ok(sealed);
};
