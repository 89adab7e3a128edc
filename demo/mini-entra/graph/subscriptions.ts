// Who wants to hear of changes, and telling them: the handshake that proves an address to be the asker's own, and a
// notification for each change. Nobody is told twice, as Graph's own retries are of no use to a demo.

import { randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import type { DemoDirectory } from '#demo/directory.ts';
import {
  type GraphAsker,
  type GraphDesk,
  type GraphParts,
  type GraphReply,
  type GraphSubscription,
  graphRefusal,
} from '#demo/mini-entra/graph/desk.ts';

/** Longest life of a subscription to users, minutes (Graph, subscription resource type). */
const MAX_LIFE_MINUTES = 41_760;

/** Graph waits as long for the answer to a handshake. */
const HANDSHAKE_MS = 10_000;

const invalid = (message: string): GraphReply => graphRefusal(400, 'InvalidRequest', message);

const isTimely = (value: unknown): value is string => {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return at > Date.now() && at <= Date.now() + MAX_LIFE_MINUTES * 60_000;
};

/** The address must send back what it is given, as plain text. */
const provesItself = async (url: string): Promise<boolean> => {
  const token = `Validation: ${randomUUID()} <&>`;
  const target = new URL(url);
  target.searchParams.set('validationToken', token);
  try {
    const signal = AbortSignal.timeout(HANDSHAKE_MS);
    const answer = await fetch(target, { method: 'POST', signal, redirect: 'manual' });
    const isPlain = answer.headers.get('content-type')?.startsWith('text/plain') === true;
    return answer.status === 200 && isPlain && (await answer.text()) === token;
  } catch {
    return false;
  }
};

const parse = (text: string): JsonObject => {
  try {
    const body: unknown = JSON.parse(text);
    return isJsonObject(body) ? body : {};
  } catch {
    return {};
  }
};

const listOf = ({ graph }: GraphParts, { directory, clientId }: GraphAsker): readonly GraphSubscription[] =>
  [...graph.subscriptions.values()].filter(
    (one) =>
      one.tid === directory.tid &&
      one.clientId === clientId &&
      Date.parse(one.expirationDateTime) > Date.now(),
  );

const shown = ({ clientState: _kept, tid: _tid, ...subscription }: GraphSubscription): object => ({
  ...subscription,
  resource: 'users',
  changeType: 'updated,deleted',
});

/** `GET /subscriptions`: the asker's own. What was to be kept secret is not told. */
export const listSubscriptions = (parts: GraphParts, asker: GraphAsker): GraphReply => ({
  status: 200,
  body: { value: listOf(parts, asker).map(shown) },
});

/** `POST /subscriptions`. */
export const subscribe = async (
  { graph }: GraphParts,
  { directory, clientId }: GraphAsker,
  { text }: { readonly text: string },
): Promise<GraphReply> => {
  const { changeType, resource, notificationUrl, lifecycleNotificationUrl, clientState, expirationDateTime } =
    parse(text);
  if (changeType !== 'updated,deleted' || resource !== 'users')
    return invalid('Only changes of users are told.');
  if (!isTimely(expirationDateTime)) return invalid('Subscription expiration is not in range.');
  if (typeof clientState !== 'string' || clientState.length > 128) return invalid('clientState is too long.');
  if (typeof notificationUrl !== 'string' || !(await provesItself(notificationUrl)))
    return graphRefusal(400, 'ValidationError', 'Subscription validation request failed.');
  const subscription: GraphSubscription = {
    id: randomUUID(),
    tid: directory.tid,
    clientId,
    notificationUrl,
    ...(typeof lifecycleNotificationUrl === 'string' ? { lifecycleNotificationUrl } : {}),
    clientState,
    expirationDateTime,
  };
  graph.subscriptions.set(subscription.id, subscription);
  return { status: 201, body: shown(subscription) };
};

/** `PATCH /subscriptions/{id}`: it lives longer. */
export const prolong = (
  parts: GraphParts,
  asker: GraphAsker,
  { id, text }: { readonly id: string; readonly text: string },
): GraphReply => {
  const subscription = listOf(parts, asker).find((one) => one.id === id);
  const { expirationDateTime } = parse(text);
  if (subscription === undefined)
    return graphRefusal(404, 'ResourceNotFound', 'There is no such subscription.');
  if (!isTimely(expirationDateTime)) return invalid('Subscription expiration is not in range.');
  subscription.expirationDateTime = expirationDateTime;
  return { status: 200, body: shown(subscription) };
};

/** Tells everybody who wants to hear of it that a person changed or is gone. */
export const notifyOfChange = (
  { subscriptions }: GraphDesk,
  { tid }: DemoDirectory,
  { oid, changeType }: { readonly oid: string; readonly changeType: 'updated' | 'deleted' },
): void => {
  for (const { id, notificationUrl, clientState, expirationDateTime, ...of } of subscriptions.values()) {
    if (of.tid !== tid) continue;
    const notification = {
      subscriptionId: id,
      subscriptionExpirationDateTime: expirationDateTime,
      clientState,
      changeType,
      resource: `Users/${oid}`,
      tenantId: tid,
      resourceData: { '@odata.type': '#Microsoft.Graph.User', '@odata.id': `Users/${oid}`, id: oid },
    };
    void fetch(notificationUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ value: [notification] }),
      signal: AbortSignal.timeout(HANDSHAKE_MS),
    }).catch(() => undefined);
  }
};
