// Opening of sessions under the keys at hand. A port of the pipeline: it knows the key file and the age limit, so that the
// decision need not.

import type { Deny } from '#core/decision.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { Result } from '#core/result.ts';
import type { EventPlace, SeenEvent } from '#core/sealed-event-id.ts';
import type { CallSession, SessionOwner } from '#core/sealed-session.ts';
import { keyIdOf } from '#core/sealed-text.ts';
import type { Place } from '#ext-authz/locate.ts';
import { openCallSession, openLastEvent } from '#ext-authz/session/open-call-session.ts';
import { judgeRequestState } from '#ext-authz/session/request-state.ts';
import type { SessionKeyRing } from '#runtime/session-keys.ts';

export type Sessions = {
  /** The session of a sealed id, or session_unknown. */
  open(sealed: string, owner: SessionOwner, nowSeconds: number): Result<CallSession, Deny>;
  /** True where the call brings a state of its own that has to be put back; or request_state_unknown. */
  judgeState(
    place: Place,
    call: McpCall,
    by: { readonly owner: SessionOwner; readonly nowSeconds: number },
  ): Result<boolean, Deny>;
  /** An event that was seen in this place, or header_invalid. */
  openEvent(lastEventId: string, place: EventPlace): Result<SeenEvent, Deny>;
};

export const createSessions = (ring: SessionKeyRing, maxAgeSeconds: number): Sessions => ({
  open: (sealed, owner, nowSeconds) => {
    const keys = ring.knowing(keyIdOf(sealed));
    return openCallSession(sealed, owner, { keys, maxAgeSeconds, nowSeconds });
  },
  judgeState: (place, call, by) =>
    judgeRequestState(place, call, {
      ...by,
      keysFor: (sealed) => ring.knowing(keyIdOf(sealed)),
      maxAgeSeconds,
    }),
  openEvent: (lastEventId, place) => openLastEvent(lastEventId, place, ring.knowing(keyIdOf(lastEventId))),
});
