// An event id of the older protocol era as its client holds it. With one a client asks for what it missed of a stream
// (`Last-Event-ID`), and servers find the stream by nothing else: MCP has them keep it to the session, and some keep all
// streams in one store. So an id is marked here as seen in a session of its owner, and taken back from there only. With it goes
// the call whose answer it was seen in: what is sent again is judged like the first time. There is nothing in it to hide, hence
// a MAC: it costs a few microseconds an event, and no key ever runs out of nonces.

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { JsonRpcId } from '#core/mcp-call.ts';
import { ownerDigest, type SessionOwner } from '#core/sealed-session.ts';
import { findSealingKey } from '#core/sealing-key.ts';
import type { SessionKey, SessionKeys } from '#core/session-key.ts';

/** SSE: the client has lost a stream and asks for what came after this event. */
export const LAST_EVENT_ID_HEADER = 'last-event-id';

export type EventPlace = {
  readonly owner: SessionOwner;
  /** Reference of the session; empty where the server keeps none. */
  readonly session: string;
};

/** The call that a stream answers. */
export type EventCall = {
  readonly method: string;
  readonly tool?: string;
  readonly jsonRpcId?: JsonRpcId;
};

export type SeenEvent = {
  /** The server's own id. */
  readonly id: string;
  /** Absent on a stream that answers no call, and in marks of an ext-proc older than this. */
  readonly call?: EventCall;
};

/** Longest id of a server that is marked, characters. */
const MAX_EVENT_ID = 1024;

/** Longest call in a mark, characters of its JSON: it has to come back in a header. */
const MAX_CALL = 1024;

/** What can stand in a header as it is, without whitespace at its ends that a reader would take off. */
const HEADER_SAFE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

const SHAPE = /^([\w-]{8})\.([\w-]+)\.(?:([\w-]+)\.)?([\w-]{22})$/;
const MAC_BYTES = 16;

/** @param call as it stands in the mark; without one the mark is what it was before there were any. */
const macOf = (
  key: SessionKey,
  { id, call }: { readonly id: string; readonly call: string | undefined },
  { owner, session }: EventPlace,
): Buffer =>
  createHmac('sha256', key.events)
    .update(JSON.stringify([ownerDigest(owner), session, id, ...(call === undefined ? [] : [call])]))
    .digest()
    .subarray(0, MAC_BYTES);

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** The id the client gets; undefined where the server's, or the call, could not come back in a header. */
export const sealEventId = (
  key: SessionKey,
  { id, call }: SeenEvent,
  place: EventPlace,
): string | undefined => {
  const said = call === undefined ? undefined : JSON.stringify(call);
  if (id.length > MAX_EVENT_ID || !HEADER_SAFE.test(id) || (said?.length ?? 0) > MAX_CALL) return undefined;
  const parts = [base64url(id), ...(said === undefined ? [] : [base64url(said)])];
  return [key.id, ...parts, macOf(key, { id, call: said }, place).toString('base64url')].join('.');
};

/** The event; undefined if the text is no id that was seen in this place. */
export const openEventId = (keys: SessionKeys, text: string, place: EventPlace): SeenEvent | undefined => {
  const [, keyId = '', encoded = '', encodedCall, mac = ''] = SHAPE.exec(text) ?? [];
  const key = findSealingKey(keys, keyId);
  if (key === undefined) return undefined;
  const id = Buffer.from(encoded, 'base64url').toString('latin1');
  const call = encodedCall === undefined ? undefined : Buffer.from(encodedCall, 'base64url').toString('utf8');
  if (!timingSafeEqual(macOf(key, { id, call }, place), Buffer.from(mac, 'base64url'))) return undefined;
  // Written by us, or the mark would not hold.
  return call === undefined ? { id } : { id, call: JSON.parse(call) as EventCall };
};
