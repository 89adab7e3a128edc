// What a kept token is worth to a call now: used as it is, used and renewed beside, replaced first if that can be, or over.
// Everything is a share of the token's own life, so tokens of seconds are judged like those of hours. Pure.

import type { CachedToken } from '#ext-authz/token/cache.ts';

/**
 * `fresh`: used. `due`: used, and renewed in the background. `ending`: replaced first; used only where no other can be
 * had, since it could end on its way to the server. `ended`: of no use.
 */
export type Freshness = 'fresh' | 'due' | 'ending' | 'ended';

export type FreshnessTerms = {
  readonly nowSeconds: number;
  /** When the caller's own token ends, which a delegated one is never used past; undefined: it is nobody's but ours. */
  readonly callerEndsAt: number | undefined;
  /** From 0 to 1, the same for one token in one process: spreads renewals. */
  readonly spread: number;
};

/** Share of a token's life after which it is renewed, and how much later chance may put that. */
const RENEW_AFTER = 0.8;
const RENEW_SPREAD = 0.05;

/** The end of a life in which a call might arrive too late: a share of it, at most so many seconds. */
const ENDING_SHARE = 0.1;
const MAX_ENDING_SECONDS = 60;

/** The same where a new token would live hardly longer: then it is not worth an exchange before the last moment. */
const LAST_MOMENT_SECONDS = 1;

const endingSeconds = (lifetime: number, gain: number): number => {
  const ending = Math.min(MAX_ENDING_SECONDS, lifetime * ENDING_SHARE);
  if (gain <= 0) return 0;
  return gain <= ending ? Math.min(LAST_MOMENT_SECONDS, ending) : ending;
};

/** How much of its life a token has behind it, from 0 to 1. */
export const shareOfLife = ({ expiresAt, notedAt }: CachedToken, nowSeconds: number): number =>
  Math.min(1, Math.max(0, (nowSeconds - notedAt) / Math.max(expiresAt - notedAt, Number.EPSILON)));

/** What `token` is worth to a call. */
export const judgeFreshness = (token: CachedToken, terms: FreshnessTerms): Freshness => {
  const { nowSeconds, callerEndsAt = Number.POSITIVE_INFINITY, spread } = terms;
  const lifetime = token.expiresAt - token.notedAt;
  // What a renewal could add: a token that outlives its caller's is as good as any new one.
  const gain = callerEndsAt - token.expiresAt;
  const left = Math.min(token.expiresAt, callerEndsAt) - nowSeconds;
  const ending = endingSeconds(lifetime, gain);
  if (left <= 0) return 'ended';
  if (left <= ending) return 'ending';
  const isWorthIt = gain > Math.min(MAX_ENDING_SECONDS, lifetime * ENDING_SHARE);
  return isWorthIt && shareOfLife(token, nowSeconds) >= RENEW_AFTER + RENEW_SPREAD * spread ? 'due' : 'fresh';
};
