// The standing order at Graph to be told of changed people, kept alive: found by the address it tells, prolonged before it
// ends, made anew where it is gone. Nothing is kept here: Graph's own list says what there is.

import { isJsonObject, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { NotificationAddress } from '#core/signal-channel.ts';
import type { AskGraph, GraphRefusal } from '#ext-authz/graph/ask-graph.ts';
import type { GraphSession } from '#ext-authz/revocation/graph-people.ts';

export type SubscriptionOutcome = 'kept' | 'prolonged' | 'made';

/** Less than Graph allows (41,760 minutes): an order that nobody prolongs any more should end soon. */
const LIFE_SECONDS = 3 * 24 * 3600;

/** Seconds that are left when it is prolonged: a day and a half for somebody to notice that it fails. */
const LEFT_SECONDS = LIFE_SECONDS / 2;

const PATH = '/v1.0/subscriptions';

type Known = { readonly id: string; readonly endsAt: number };

const readKnown = (value: unknown, notificationUrl: string): Known | undefined => {
  if (!isJsonObject(value) || value['notificationUrl'] !== notificationUrl || value['resource'] !== 'users')
    return undefined;
  const { id, expirationDateTime } = value;
  const endsAt = Date.parse(String(expirationDateTime)) / 1_000;
  return typeof id === 'string' && /^[\w-]{1,64}$/.test(id) && !Number.isNaN(endsAt)
    ? { id, endsAt }
    : undefined;
};

const findKnown = ({ value }: JsonObject, notificationUrl: string): Known | undefined =>
  (Array.isArray(value) ? value : [])
    .map((one) => readKnown(one, notificationUrl))
    .filter((known) => known !== undefined)
    .toSorted((one, other) => other.endsAt - one.endsAt)[0];

const endOf = (nowSeconds: number): string => new Date((nowSeconds + LIFE_SECONDS) * 1_000).toISOString();

const make = async (
  ask: AskGraph,
  session: GraphSession,
  { notificationUrl, clientState }: NotificationAddress,
): Promise<Result<SubscriptionOutcome, GraphRefusal>> => {
  const body = {
    changeType: 'updated,deleted',
    resource: 'users',
    notificationUrl,
    lifecycleNotificationUrl: notificationUrl,
    clientState: clientState.reveal(),
    expirationDateTime: endOf(session.nowSeconds),
  };
  const made = await ask({ ...session, method: 'POST', path: PATH, body });
  return made.ok ? ok('made') : made;
};

/**
 * Sees to it that Graph goes on telling.
 * @param isDoubtful somebody says that the order is in danger: it is prolonged whatever time is left.
 */
export const keepSubscription = async (
  ask: AskGraph,
  session: GraphSession,
  { address, isDoubtful }: { readonly address: NotificationAddress; readonly isDoubtful: boolean },
): Promise<Result<SubscriptionOutcome, GraphRefusal>> => {
  const listed = await ask({ ...session, path: PATH });
  if (!listed.ok) return listed;
  const known = findKnown(listed.value, address.notificationUrl);
  if (known === undefined || known.endsAt <= session.nowSeconds) return make(ask, session, address);
  if (!isDoubtful && known.endsAt - session.nowSeconds > LEFT_SECONDS) return ok('kept');
  const body = { expirationDateTime: endOf(session.nowSeconds) };
  const prolonged = await ask({ ...session, method: 'PATCH', path: `${PATH}/${known.id}`, body });
  if (prolonged.ok) return ok('prolonged');
  const isGone = prolonged.error.kind === 'refused' && prolonged.error.status === 404;
  return isGone ? make(ask, session, address) : err(prolonged.error);
};
