// What a Security Event Token does, once it was found good: marks first, then its `jti`. Whoever dies in between is sent the
// token again, and makes the same marks; the other way round a repeated token would be taken for one that is done.

import { createHash } from 'node:crypto';
import { GatewayError } from '#core/gateway-error.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { JsonObject } from '#core/json.ts';
import type { RevocationReport, RevocationTarget } from '#core/revocation.ts';
import type { RecordRevocation } from '#registry/record-revocation.ts';
import { type EventEffect, effectOf } from '#registry/signals/event-effect.ts';
import { notBeforeOf } from '#registry/signals/event-moment.ts';
import { type SecurityEventToken, takenUntil } from '#registry/signals/read-set.ts';
import { targetsOf } from '#registry/signals/subject.ts';
import type { TakenSignal } from '#registry/store/signal.ts';
import type { SignatureId } from '#registry/store/signature-id.ts';
import type { Store } from '#registry/store/store.ts';

/**
 * How an event ended; the labels of a metric. `ended`: a mark was made or moved. `known`: one said as much. `unidentified`:
 * its subject names nobody here. `past`: nothing from before it can still live.
 */
export type EventOutcome = 'ended' | 'known' | 'unidentified' | 'past' | 'stream' | 'nothing' | 'unknown';

export type TakeParts = {
  readonly store: Pick<Store, 'isSpent' | 'takeSignal'>;
  readonly record: RecordRevocation;
  readonly onEvent: (outcome: EventOutcome) => void;
};

export type TakenSet = {
  readonly tenantId: string;
  readonly issuer: TrustedIssuer;
  readonly transmitter: string;
  readonly set: SecurityEventToken;
  readonly nowMs: number;
};

/** Digests: a transmitter's texts are as long as it likes, and what one channel took is nothing to another. */
const idOf = ({ tenantId, issuer, transmitter, set }: TakenSet): SignatureId => {
  const digest = (value: unknown): string =>
    createHash('sha256').update(JSON.stringify(value)).digest('base64url');
  return {
    thumbprint: digest(['signals', tenantId, issuer.id, transmitter]),
    jti: digest(set.jti),
    forgetAt: takenUntil(set),
  };
};

const recordOne = async (
  { record }: TakeParts,
  report: RevocationReport,
): Promise<'ended' | 'known' | 'past' | 'unidentified'> => {
  const recorded = await record({ ...report, actor: 'mcpgw:shared-signals' });
  if (recorded.ok) return recorded.value.changed ? 'ended' : 'known';
  if (recorded.error === 'ended') return 'past';
  // Nobody can say what was left out: the transmitter is to try again, and the operator to look.
  if (recorded.error === 'full')
    throw new GatewayError('store_failed', 'the tenant has too many revocations');
  return 'unidentified';
};

const endAll = async (
  parts: TakeParts,
  { tenantId, set, nowMs }: TakenSet,
  event: {
    readonly targets: readonly RevocationTarget[];
    readonly because: string;
    readonly payload: JsonObject;
  },
): Promise<void> => {
  if (event.targets.length === 0) parts.onEvent('unidentified');
  for (const target of event.targets) {
    const notBefore = notBeforeOf(event.payload, set, nowMs);
    const reason = `the identity provider says ${event.because}`;
    parts.onEvent(await recordOne(parts, { tenantId, target, notBefore, source: 'shared-signals', reason }));
  }
};

type StreamNews = Pick<TakenSignal, 'verified' | 'streamStatus'>;

const newsOf = (effect: EventEffect): StreamNews => {
  if (effect.kind === 'verified')
    return { verified: effect.state === undefined ? {} : { state: effect.state } };
  return effect.kind === 'stream' ? { streamStatus: effect.status } : {};
};

const takeEvent = async (
  parts: TakeParts,
  taken: TakenSet,
  { type, payload }: SecurityEventToken['events'][number],
): Promise<StreamNews> => {
  const effect = effectOf(type, payload);
  if (effect.kind === 'end') {
    // At the top by SSF 1.0, in the event by its drafts; where both are, both are meant.
    const subjects = [taken.set.subject, payload['subject']];
    const targets = subjects.flatMap((subject) => targetsOf(subject, taken.issuer));
    await endAll(parts, taken, { targets, because: effect.because, payload });
  } else {
    const isStream = effect.kind === 'verified' || effect.kind === 'stream';
    parts.onEvent(isStream ? 'stream' : effect.kind);
  }
  return newsOf(effect);
};

/**
 * @returns `repeated` where the token had been taken before, and did nothing.
 * @throws GatewayError `store_failed`: something of it may not be durable, and the transmitter must send it again.
 */
export const takeEvents = async (parts: TakeParts, taken: TakenSet): Promise<'accepted' | 'repeated'> => {
  const { tenantId, issuer, set, nowMs } = taken;
  const id = idOf(taken);
  if (await parts.store.isSpent(id)) return 'repeated';
  let news: StreamNews = {};
  for (const event of set.events) news = { ...news, ...(await takeEvent(parts, taken, event)) };
  const key = { tenantId, issuerId: issuer.id, channel: 'shared-signals' } as const;
  return (await parts.store.takeSignal({ key, nowMs, id, ...news })) ? 'accepted' : 'repeated';
};
