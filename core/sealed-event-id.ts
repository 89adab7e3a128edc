// An event id of the older protocol era as its client holds it. With one a client asks for what it missed of a stream
// (`Last-Event-ID`), and servers find the stream by nothing else: MCP has them keep it to the session, and some keep all
// streams in one store. So an id is marked here as seen in a session of its owner, and taken back from there only. There is
// nothing in it to hide, hence a MAC: it costs a few microseconds an event, and no key ever runs out of nonces.

import { createHmac, timingSafeEqual } from 'node:crypto';
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

/** Longest id of a server that is marked, characters. */
const MAX_EVENT_ID = 1024;

/** What can stand in a header as it is, without whitespace at its ends that a reader would take off. */
const HEADER_SAFE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

const SHAPE = /^([\w-]{8})\.([\w-]+)\.([\w-]{22})$/;
const MAC_BYTES = 16;

const macOf = (key: SessionKey, id: string, { owner, session }: EventPlace): Buffer =>
  createHmac('sha256', key.events)
    .update(JSON.stringify([ownerDigest(owner), session, id]))
    .digest()
    .subarray(0, MAC_BYTES);

/** The id the client gets; undefined where the server's could not come back in a header. */
export const sealEventId = (key: SessionKey, id: string, place: EventPlace): string | undefined => {
  if (id.length > MAX_EVENT_ID || !HEADER_SAFE.test(id)) return undefined;
  const mac = macOf(key, id, place).toString('base64url');
  return `${key.id}.${Buffer.from(id).toString('base64url')}.${mac}`;
};

/** The server's own id; undefined if the text is no id that was seen in this place. */
export const openEventId = (keys: SessionKeys, text: string, place: EventPlace): string | undefined => {
  const [, keyId = '', encoded = '', mac = ''] = SHAPE.exec(text) ?? [];
  const key = findSealingKey(keys, keyId);
  if (key === undefined) return undefined;
  const id = Buffer.from(encoded, 'base64url').toString('latin1');
  return timingSafeEqual(macOf(key, id, place), Buffer.from(mac, 'base64url')) ? id : undefined;
};
