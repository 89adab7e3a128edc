// What notifications of Graph do: a person who is gone is a mark, a person who changed is for whoever watches the directory
// to look at, because a notification does not say what changed.

import type { AuditKeys } from '#core/audit/audit-key.ts';
import { type DirectoryHint, MAX_HINTED_USERS } from '#core/feed-message.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { GraphSignals } from '#core/issuer-signals.ts';
import type { RecordRevocation } from '#registry/record-revocation.ts';
import { isClientState } from '#registry/signals/client-state.ts';
import type { IssuerPlace } from '#registry/signals/find-channel.ts';
import { type GraphNotification, parseNotifications } from '#registry/signals/graph-notification.ts';
import type { Store } from '#registry/store/store.ts';

/**
 * How a notification ended; the labels of a metric. `forged`: its client state is not that of the channel. `foreign`: a
 * directory that the issuer does not have.
 */
export type NotificationOutcome = GraphNotification['news']['kind'] | 'unreadable' | 'forged' | 'foreign';

export type NotificationParts = {
  readonly store: Pick<Store, 'takeSignal'>;
  readonly record: RecordRevocation;
  readonly keys: AuditKeys;
  readonly onNotification: (outcome: NotificationOutcome) => void;
  readonly nowMs: () => number;
  readonly newId: () => string;
};

export type NotificationsRequest = {
  readonly place: IssuerPlace;
  readonly issuer: TrustedIssuer;
  readonly settings: GraphSignals;
  readonly body: string;
};

/** `denied`: nothing of it was from Graph. `unavailable`: Graph is to send it again. */
export type NotificationsAnswer = 'accepted' | 'unreadable' | 'denied' | 'unavailable';

type Person = { readonly tid: string; readonly oid: string };

/** People marked by one delivery: each is a commit, and Graph wants its answer within three seconds. */
const MAX_MARKED = 100;

const judge = (
  { keys }: NotificationParts,
  { place, issuer, settings }: NotificationsRequest,
  notification: GraphNotification | undefined,
): NotificationOutcome => {
  if (notification === undefined) return 'unreadable';
  const { clientState, tid, news } = notification;
  if (!isClientState(keys, { ...place, clientId: settings.clientId }, clientState)) return 'forged';
  const isOurs = issuer.directoryTenants.some((directory) => directory.toLowerCase() === tid);
  return isOurs ? news.kind : 'foreign';
};

const endGone = async (
  { record }: NotificationParts,
  tenantId: string,
  { person: { tid, oid }, nowMs }: { readonly person: Person; readonly nowMs: number },
): Promise<void> => {
  const recorded = await record({
    tenantId,
    target: { kind: 'directory-user', tid, oid },
    // Of a token of this very second nobody can say whether it is younger.
    notBefore: Math.floor(nowMs / 1_000) + 1,
    source: 'graph',
    reason: 'the directory says that the account was deleted',
    actor: 'mcpgw:graph',
  });
  if (!recorded.ok && recorded.error === 'full')
    throw new GatewayError('store_failed', 'the tenant has too many revocations');
};

const chunksOf = (oids: readonly string[]): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(oids.length / MAX_HINTED_USERS) }, (_, index) =>
    oids.slice(index * MAX_HINTED_USERS, (index + 1) * MAX_HINTED_USERS),
  );

const hintsOf = (
  tid: string,
  notifications: readonly GraphNotification[],
  wordsOf: (tid: string) => Omit<DirectoryHint, 'kind'>,
): readonly DirectoryHint[] => {
  const all = notifications.map(({ news }) => news);
  const oids = new Set(all.flatMap((news) => (news.kind === 'updated' ? [news.oid] : [])));
  const has = (kind: 'renew' | 'missed'): boolean => all.some((news) => news.kind === kind);
  return [
    ...chunksOf([...oids]).map((chunk) => ({
      kind: 'look-at-users' as const,
      ...wordsOf(tid),
      oids: chunk,
    })),
    ...(has('renew') ? [{ kind: 'renew-subscription' as const, ...wordsOf(tid) }] : []),
    ...(has('missed') ? [{ kind: 'sweep-now' as const, ...wordsOf(tid) }] : []),
  ];
};

/** Whoever is one too many to be marked is looked at instead, and found to be gone if he holds a token. */
const splitGone = (believed: readonly GraphNotification[]) => {
  const gone: Person[] = [];
  const others: GraphNotification[] = [];
  for (const notification of believed) {
    const { tid, news } = notification;
    if (news.kind !== 'deleted') others.push(notification);
    else if (gone.length < MAX_MARKED) gone.push({ tid, oid: news.oid });
    else others.push({ ...notification, news: { kind: 'updated', oid: news.oid } });
  }
  return { gone, others };
};

const act = async (
  parts: NotificationParts,
  place: IssuerPlace,
  believed: readonly GraphNotification[],
): Promise<void> => {
  const nowMs = parts.nowMs();
  const at = new Date(nowMs).toISOString();
  const { gone, others } = splitGone(believed);
  for (const person of gone) await endGone(parts, place.tenantId, { person, nowMs });
  const wordsOf = (tid: string) => ({ id: parts.newId(), ...place, tid, at });
  const hints = [...Map.groupBy(others, ({ tid }) => tid)].flatMap(([tid, those]) =>
    hintsOf(tid, those, wordsOf),
  );
  await parts.store.takeSignal({ key: { ...place, channel: 'graph' }, nowMs, hints });
};

/** @throws what is neither Graph's fault nor the store's. */
export const takeNotifications = async (
  parts: NotificationParts,
  request: NotificationsRequest,
): Promise<NotificationsAnswer> => {
  const parsed = parseNotifications(request.body);
  if (!parsed.ok) return 'unreadable';
  const judged = parsed.value.map((one) => ({ one, outcome: judge(parts, request, one) }));
  for (const { outcome } of judged) parts.onNotification(outcome);
  const isBelieved = (outcome: NotificationOutcome): boolean =>
    !['unreadable', 'forged', 'foreign'].includes(outcome);
  const believed = judged.flatMap(({ one, outcome }) =>
    one !== undefined && isBelieved(outcome) ? [one] : [],
  );
  if (believed.length === 0) return 'denied';
  try {
    await act(parts, request.place, believed);
    return 'accepted';
  } catch (thrown) {
    if (GatewayError.from(thrown).code === 'store_failed') return 'unavailable';
    throw thrown;
  }
};
