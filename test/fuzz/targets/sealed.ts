// Sealed texts that clients give back: session ids, event ids, request states. Nothing opens but what was sealed, and as
// that; whatever else is given back is a fault with a name, and no throw.

import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { openEventId, sealEventId } from '#core/sealed-event-id.ts';
import { openRequestState, sealRequestState } from '#core/sealed-request-state.ts';
import { openSession, type SessionOwner, sealSession } from '#core/sealed-session.ts';
import { sealingKeysOf } from '#core/sealing-key.ts';
import { deriveSessionKey } from '#core/session-key.ts';
import { anyBytes, changed, demand, type Target } from '#test/fuzz/target.ts';
import { SESSION_KEY } from '#test/support/session-world.ts';

const KEYS = sealingKeysOf([deriveSessionKey(Buffer.alloc(32, 8)), SESSION_KEY]);
const NONCE = Buffer.alloc(12, 1);
const OWNER: SessionOwner = { tenantId: 'acme', serverId: 'files', principal: 'ada', applications: ['app'] };
const OTHER: SessionOwner = { ...OWNER, principal: 'bob' };
const SESSION = { id: 's-1', host: '127.0.0.1:80', version: '1.0.0', startedAt: 1_000 };
const EVENT = { id: 'e-1', call: { method: 'tools/call', tool: 'read', jsonRpcId: 7 } };
const PLAIN_EVENT = { id: 'e-2' };
const EVENT_PLACE = { owner: OWNER, session: 'reference' };
const STATE_PLACE = { owner: OWNER, method: 'tools/call', target: 'read' };
const TIMES = { maxAgeSeconds: 60, nowSeconds: 1_010 };

const session = sealSession(SESSION_KEY, NONCE, { session: SESSION, owner: OWNER }) ?? '';
const events = [EVENT, PLAIN_EVENT].map((event) => sealEventId(SESSION_KEY, event, EVENT_PLACE) ?? '');
const state =
  sealRequestState(SESSION_KEY, NONCE, { state: 'their state', place: STATE_PLACE, startedAt: 1_000 }) ?? '';
const GENUINE = [session, ...events, state];

const demandSession = (text: string): void => {
  const opened = openSession(KEYS, text, OWNER);
  if (opened.ok)
    demand(text === session && isDeepStrictEqual(opened.value, SESSION), 'a session nobody sealed');
  demand(!openSession(KEYS, text, OTHER).ok, 'the session of somebody else');
};

const demandEvent = (text: string): void => {
  const opened = openEventId(KEYS, text, EVENT_PLACE);
  demand(
    opened === undefined || [EVENT, PLAIN_EVENT].some((event) => isDeepStrictEqual(opened, event)),
    'an event nobody saw',
  );
  demand(
    openEventId(KEYS, text, { ...EVENT_PLACE, owner: OTHER }) === undefined,
    'the event of somebody else',
  );
};

const demandState = (text: string): void => {
  const opened = openRequestState(KEYS, text, { place: STATE_PLACE, ...TIMES });
  if (opened.ok) demand(text === state && opened.value === 'their state', 'a state nobody sealed');
  const elsewhere = { ...STATE_PLACE, target: 'write' };
  demand(!openRequestState(KEYS, text, { place: elsewhere, ...TIMES }).ok, 'the state of another tool');
};

const genuine = GENUINE.map((text) => Buffer.from(text));
const pieces = GENUINE.flatMap((text) => text.split('.'));

export const sealedTexts: Target = {
  name: 'sealed-text',
  shortRuns: 3_000,
  inputs: (corpus) =>
    fc.oneof(
      {
        weight: 6,
        arbitrary: changed(
          [...genuine, ...corpus],
          ['.', '=', '+', '/', '-', '_', 'A', ' ', '\0', ...pieces],
        ),
      },
      {
        weight: 3,
        arbitrary: fc
          .array(fc.constantFrom('', 'AA', ...pieces), { maxLength: 5 })
          .map((parts) => Buffer.from(parts.join('.'))),
      },
      { weight: 1, arbitrary: anyBytes },
    ),
  holds: (bytes) => {
    const text = bytes.toString('latin1');
    demandSession(text);
    demandEvent(text);
    demandState(text);
  },
};
