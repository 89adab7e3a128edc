// Tokens renewed before they are missed: a call that uses one past its mark has it renewed in the background, so there are
// no timers, nobody's assertion is kept for later, and the tokens of who has gone home are left to end.

import { LRUCache } from 'lru-cache';
import { GatewayError } from '#core/gateway-error.ts';
import type { Result } from '#core/result.ts';
import type { CachedToken } from '#ext-authz/token/cache.ts';
import type { RefusalMemory } from '#ext-authz/token/refusal-memory.ts';
import type { Landing } from '#ext-authz/token/shared-flight.ts';
import type { TokenCall } from '#ext-authz/token/token-call.ts';
import type { TokenMetrics } from '#ext-authz/token/token-metrics.ts';
import type { Logger } from '#runtime/logger.ts';

/**
 * At once in one process: half of what the gate lets run (gate/exchange-gate.ts), as nobody waits for a renewal and others
 * do for theirs. A hundred thousand users with tokens of an hour are thirty a second, of a fifth of a second each.
 */
const MAX_RENEWALS = 12;

/** After a renewal that failed its key rests: a share of the token's life, at most so many seconds. */
const REST_SHARE = 0.05;
const MAX_REST_SECONDS = 30;
const MAX_RESTING = 20_000;

/**
 * `adopted`: another process had renewed it. `ended`: the provider has changed its mind about the caller. `failed`: it
 * said nothing about the caller. `broken`: an adapter threw. `skipped`: too many at once.
 */
export type RenewalOutcome = 'renewed' | 'adopted' | 'ended' | 'failed' | 'broken' | 'skipped';

export type RenewalParts = {
  /** Joins the exchange of the key, or starts it. */
  readonly fly: (call: TokenCall) => Promise<Result<Landing, 'aborted'>>;
  /** Drops the token of a key. */
  readonly remove: (key: string) => Promise<void>;
  readonly refusals: RefusalMemory;
  readonly metrics: TokenMetrics;
  readonly logger: Logger;
};

export type Renewals = {
  /** Has the token renewed beside the call, unless that is under way, was just tried in vain, or would be one too many. */
  start(token: CachedToken, call: TokenCall): void;
  /** No more are started; ends with those under way. */
  stop(): Promise<void>;
};

export const createRenewals = (parts: RenewalParts): Renewals => {
  const running = new Map<string, Promise<void>>();
  /** Until when, seconds since the epoch. */
  const resting = new LRUCache<string, number>({ max: MAX_RESTING });
  let isStopped = false;

  const isHeldBack = ({ keys, nowSeconds }: TokenCall): boolean =>
    (resting.get(keys.caller) ?? 0) > nowSeconds() ||
    parts.refusals.find([keys.caller, keys.consent, keys.application], nowSeconds()) !== undefined;

  const judge = async (landed: Result<Landing, 'aborted'>, { keys }: TokenCall): Promise<RenewalOutcome> => {
    if (!landed.ok) return 'failed';
    const { by, outcome } = landed.value;
    if (outcome.ok) return by === 'found' ? 'adopted' : 'renewed';
    const { isTransient, reason } = outcome.error.refusal;
    // A fault of our own settings says nothing about the caller either: the token is good until it ends.
    if (isTransient || reason === 'exchange_misconfigured') return 'failed';
    await parts.remove(keys.caller);
    return 'ended';
  };

  const renew = async ({ expiresAt, notedAt }: CachedToken, call: TokenCall): Promise<void> => {
    let outcome: RenewalOutcome = 'broken';
    try {
      outcome = await judge(await parts.fly(call), call);
    } catch (thrown) {
      parts.logger.error({ error: GatewayError.from(thrown).message }, 'token renewal broke off');
    }
    if (outcome === 'failed' || outcome === 'broken') {
      const rest = Math.min(MAX_REST_SECONDS, (expiresAt - notedAt) * REST_SHARE);
      resting.set(call.keys.caller, call.nowSeconds() + rest);
    }
    parts.metrics.renewals.inc({ outcome });
  };

  return {
    start: (token, call) => {
      const key = call.keys.caller;
      if (isStopped || running.has(key) || isHeldBack(call)) return;
      if (running.size >= MAX_RENEWALS) return parts.metrics.renewals.inc({ outcome: 'skipped' });
      running.set(
        key,
        renew(token, call).finally(() => running.delete(key)),
      );
    },
    stop: async () => {
      isStopped = true;
      await Promise.all(running.values());
    },
  };
};
