// Who of the decision processes sees to the standing order at Graph for a directory, and how often. A lease decides: the
// order is one, however many processes there are.

import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import type { NotificationAddress } from '#core/signal-channel.ts';
import type { AskGraph } from '#ext-authz/graph/ask-graph.ts';
import { keepSubscription, type SubscriptionOutcome } from '#ext-authz/revocation/graph-subscription.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';

export type StandingOrderParts = {
  readonly ask: AskGraph;
  /** Origin, without a slash. */
  readonly graphUrl: string;
  readonly acquireToken: (nowSeconds: number) => Promise<Result<Secret, string>>;
  /** Where Graph is to send notifications; the error says why there is no such place. */
  readonly openChannel: () => Promise<Result<NotificationAddress, string>>;
  readonly shared: Pick<SharedState, 'claim' | 'release'>;
  /** Of the directory, the same in every process. */
  readonly key: string;
  /** Of this process. */
  readonly holder: string;
};

/** `elsewhere`: another process sees to it. */
export type OrderOutcome = SubscriptionOutcome | 'elsewhere';

/** An order lives for days: one look an hour finds one that is gone. */
const LEASE_MS = 3_600_000;

/** A doubt is told to every process at once; one of them settles it. */
const DOUBT_LEASE_MS = 30_000;

const keepNow = async (
  { ask, graphUrl, acquireToken, openChannel }: StandingOrderParts,
  nowSeconds: number,
  isDoubtful: boolean,
): Promise<Result<SubscriptionOutcome, string>> => {
  const address = await openChannel();
  if (!address.ok) return address;
  const token = await acquireToken(nowSeconds);
  if (!token.ok) return token;
  const session = { graphUrl, token: token.value, nowSeconds };
  const kept = await keepSubscription(ask, session, { address: address.value, isDoubtful });
  return kept.ok ? kept : err(kept.error.detail);
};

/**
 * Sees to the order, if it is this process's turn.
 * @param isDoubtful Graph says that the order is in danger.
 */
export const keepOrder = async (
  parts: StandingOrderParts,
  { nowSeconds, isDoubtful }: { readonly nowSeconds: number; readonly isDoubtful: boolean },
): Promise<Result<OrderOutcome, string>> => {
  const { shared, holder } = parts;
  const key = JSON.stringify(['graph-order', parts.key, isDoubtful]);
  const claimed = await shared.claim(key, { holder, lifetimeMs: isDoubtful ? DOUBT_LEASE_MS : LEASE_MS });
  // Nobody can be asked whose turn it is: an order that is seen to twice is still one order.
  if (claimed.ok && !claimed.value) return ok('elsewhere');
  const outcome = await keepNow(parts, nowSeconds, isDoubtful);
  // What failed is tried again with the next turn, by whoever takes it.
  if (!outcome.ok) await shared.release(key, holder);
  return outcome;
};
