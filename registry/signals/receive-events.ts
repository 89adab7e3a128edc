// Push delivery of Security Event Tokens (RFC 8935): one POST, one token, and an answer that a transmitter understands.
// What could not be made durable is answered so that it is sent again.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { JWTVerifyGetKey } from 'jose';
import { GatewayError } from '#core/gateway-error.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { SharedSignals } from '#core/issuer-signals.ts';
import { addressesOf } from '#registry/signals/channel-address.ts';
import type { IssuerPlace } from '#registry/signals/find-channel.ts';
import { readSet, type SetFault, type SetRefusal } from '#registry/signals/read-set.ts';
import { type TakeParts, takeEvents } from '#registry/signals/take-events.ts';
import type { SecretStore } from '#runtime/secret-files.ts';

export type EventsRequest = {
  readonly place: IssuerPlace;
  readonly issuer: TrustedIssuer;
  readonly settings: SharedSignals;
  readonly authorization: string | undefined;
  readonly body: string;
};

/** `unavailable`: the transmitter is to try again. */
export type EventsAnswer =
  | { readonly kind: 'accepted' | 'repeated' }
  | { readonly kind: 'refused'; readonly refusal: SetRefusal }
  | { readonly kind: 'unavailable'; readonly because: 'keys' | 'secret' | 'store' };

export type EventsParts = TakeParts & {
  /** Where transmitters reach the receiver. */
  readonly publicUrl: string;
  readonly keysOf: (place: IssuerPlace, settings: SharedSignals) => JWTVerifyGetKey;
  readonly secrets: SecretStore;
  readonly nowMs: () => number;
};

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest();

const UNKNOWN_TRANSMITTER: EventsAnswer = {
  kind: 'refused',
  refusal: { code: 'authentication_failed', description: 'The transmitter must send its bearer token.' },
};

/** Undefined where the transmitter has shown what it must. */
const authenticate = async (
  { secrets }: EventsParts,
  { place, settings, authorization }: EventsRequest,
): Promise<EventsAnswer | undefined> => {
  const name = settings.authorizationSecretName;
  if (name === undefined) return undefined;
  const secret = await secrets.read(place.tenantId, name);
  // Ours to mend: refused for good, the events would be lost.
  if (!secret.ok) return { kind: 'unavailable', because: 'secret' };
  const given = digestOf(/^Bearer (.+)$/i.exec(authorization ?? '')?.[1] ?? '');
  return timingSafeEqual(given, digestOf(secret.value.reveal())) ? undefined : UNKNOWN_TRANSMITTER;
};

const answerFault = (fault: SetFault): EventsAnswer =>
  fault === 'keys' ? { kind: 'unavailable', because: 'keys' } : { kind: 'refused', refusal: fault };

const take = async (
  parts: EventsParts,
  { place, issuer, settings, body }: EventsRequest,
): Promise<EventsAnswer> => {
  const nowMs = parts.nowMs();
  const { tenantId, issuerId } = place;
  const { transmitter, audiences = [addressesOf(parts.publicUrl, tenantId, issuerId).events] } = settings;
  const getKey = parts.keysOf(place, settings);
  const set = await readSet(body, { settings, audiences, getKey, nowMs });
  if (!set.ok) return answerFault(set.error);
  return { kind: await takeEvents(parts, { tenantId, issuer, transmitter, set: set.value, nowMs }) };
};

/** @throws what is neither the transmitter's fault nor the store's. */
export const receiveEvents = async (parts: EventsParts, request: EventsRequest): Promise<EventsAnswer> => {
  try {
    return (await authenticate(parts, request)) ?? (await take(parts, request));
  } catch (thrown) {
    if (GatewayError.from(thrown).code === 'store_failed') return { kind: 'unavailable', because: 'store' };
    throw thrown;
  }
};
