// The session a call says it belongs to, opened for the caller who says so. Whatever is wrong with it, the answer is the
// one of MCP for a session that has ended, at which clients begin a new one: nobody learns by asking what a text that was
// found somewhere is worth. Pure.

import { type Deny, deny } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import { callerFacts } from '#core/kill-switch.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type EventPlace, LAST_EVENT_ID_HEADER, openEventId, type SeenEvent } from '#core/sealed-event-id.ts';
import {
  type CallSession,
  openSession,
  type SessionFault,
  type SessionOwner,
  sessionReference,
} from '#core/sealed-session.ts';
import { findVersion, type McpServer, type ServerVersion } from '#core/server.ts';
import type { SessionKeys } from '#core/session-key.ts';
import type { Place } from '#ext-authz/locate.ts';

type Fault = SessionFault | 'expired' | 'version_gone' | 'version_withdrawn';

const unknown = (fault: Fault): Result<never, Deny> => err(deny('session_unknown', { log: { fault } }));

export const sessionOwner = ({ tenant, server }: Place, identity: Identity): SessionOwner => {
  const { principal, applications } = callerFacts(identity);
  return { tenantId: tenant.id, serverId: server.id, principal, applications };
};

/**
 * The owner's session.
 * @param rules.maxAgeSeconds a session older than that has ended.
 * @returns it, or session_unknown.
 */
export const openCallSession = (
  sealed: string,
  owner: SessionOwner,
  rules: { readonly keys: SessionKeys; readonly maxAgeSeconds: number; readonly nowSeconds: number },
): Result<CallSession, Deny> => {
  const opened = openSession(rules.keys, sealed, owner);
  if (!opened.ok) return unknown(opened.error);
  const { startedAt } = opened.value;
  if (rules.nowSeconds - startedAt > rules.maxAgeSeconds) return unknown('expired');
  return ok({ ...opened.value, sealed, reference: sessionReference(sealed) });
};

/**
 * The event that a stream is to go on after, or header_invalid: one that was seen by somebody else, in
 * another session, or by nobody. What came after it is for whoever was there.
 */
export const openLastEvent = (
  sealed: string,
  place: EventPlace,
  keys: SessionKeys,
): Result<SeenEvent, Deny> => {
  const event = openEventId(keys, sealed, place);
  return event === undefined
    ? err(deny('header_invalid', { public: { field: LAST_EVENT_ID_HEADER } }))
    : ok(event);
};

/**
 * The version a session was made in: its calls are judged and routed by that one for as long as it lives. With
 * the version withdrawn, it is over.
 */
export const versionOfSession = (server: McpServer, session: CallSession): Result<ServerVersion, Deny> => {
  if (server.traffic?.withdrawn.includes(session.version) === true) return unknown('version_withdrawn');
  const version = findVersion(server, session.version);
  return version === undefined ? unknown('version_gone') : ok(version);
};
