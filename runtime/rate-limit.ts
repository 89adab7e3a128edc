// How often one address may try: a bucket of tokens each. The only open route that works through what it is sent needs
// one, because a stranger's signature costs the registry more than the stranger.

/** Addresses remembered at once; the ones longest unseen make room. */
const MAX_ADDRESSES = 10_000;

export type RateRules = {
  readonly burst: number;
  readonly perSecond: number;
};

export type RateLimit = {
  /** Takes a token. Zero: go on; else the seconds after which there will be one. */
  take(address: string, nowMs: number): number;
};

type Bucket = { readonly tokens: number; readonly atMs: number };

/** Buckets that start full and are refilled by the clock that `take` is given. */
export const createRateLimit = ({ burst, perSecond }: RateRules): RateLimit => {
  const buckets = new Map<string, Bucket>();
  const remember = (address: string, bucket: Bucket): void => {
    buckets.delete(address);
    buckets.set(address, bucket);
    const oldest = buckets.keys().next().value;
    if (buckets.size > MAX_ADDRESSES && oldest !== undefined) buckets.delete(oldest);
  };
  return {
    take: (address, nowMs) => {
      const { tokens, atMs } = buckets.get(address) ?? { tokens: burst, atMs: nowMs };
      const filled = Math.min(burst, tokens + (Math.max(0, nowMs - atMs) / 1_000) * perSecond);
      remember(address, { tokens: filled < 1 ? filled : filled - 1, atMs: nowMs });
      return filled < 1 ? Math.ceil((1 - filled) / perSecond) : 0;
    },
  };
};
