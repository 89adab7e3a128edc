// Session keys and the two ports that use them, for tests that need some and do not care which.

import type { GuardOrders } from '#core/guard-orders.ts';
import { ok } from '#core/result.ts';
import { sealEventId } from '#core/sealed-event-id.ts';
import { sealingKeysOf } from '#core/sealing-key.ts';
import { deriveSessionKey } from '#core/session-key.ts';
import { openCallSession, openLastEvent } from '#ext-authz/session/open-call-session.ts';
import { judgeRequestState } from '#ext-authz/session/request-state.ts';
import type { Sessions } from '#ext-authz/session/sessions.ts';
import { eventCallOf } from '#ext-proc/session/event-ids.ts';
import { ownerOf, type Sealer } from '#ext-proc/session/seal-answer.ts';

export const SESSION_KEY = deriveSessionKey(Buffer.alloc(32, 7));

const DAY_SECONDS = 24 * 3600;

/** ext-authz's side of the key. */
export const SESSIONS: Sessions = {
  open: (sealed, owner, nowSeconds) =>
    openCallSession(sealed, owner, {
      keys: sealingKeysOf([SESSION_KEY]),
      maxAgeSeconds: DAY_SECONDS,
      nowSeconds,
    }),
  openEvent: (lastEventId, place) => openLastEvent(lastEventId, place, sealingKeysOf([SESSION_KEY])),
  judgeState: (place, call, by) =>
    judgeRequestState(place, call, {
      ...by,
      keysFor: () => sealingKeysOf([SESSION_KEY]),
      maxAgeSeconds: DAY_SECONDS,
    }),
};

/** ext-proc's side of it, at the epoch. */
export const SEALER: Sealer = {
  key: () => SESSION_KEY,
  nonce: () => Buffer.alloc(12, 1),
  nowMs: () => 0,
};

const callOf = (orders: GuardOrders) => {
  const call = eventCallOf(orders);
  return call === undefined ? {} : { call };
};

/** The id a client gets for an event of a call with these orders. */
export const markedEventId = (id: string, orders: GuardOrders): string =>
  sealEventId(
    SESSION_KEY,
    { id, ...callOf(orders) },
    { owner: ownerOf(orders), session: orders.session ?? '' },
  ) ?? '';

/** Opens whatever it is given, for tests of everything else about a call in a session. */
export const everySession = (version: string): Sessions => ({
  open: (sealed) =>
    ok({ sealed, reference: 'r', id: 'of-the-server', host: '127.0.0.1:1', version, startedAt: 0 }),
  openEvent: (lastEventId) => ok({ id: lastEventId }),
  judgeState: () => ok(false),
});
