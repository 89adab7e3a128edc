// What the broker keeps and shares, as the deployment has it: in this process's memory, or in tiers over shared state, sealed.
// Wiring of the parts of this folder; it knows no backend.

import type { SealFault } from '#core/sealed-text.ts';
import type { TokenCache } from '#ext-authz/token/cache.ts';
import { createLocalTokens } from '#ext-authz/token/local-tokens.ts';
import { createMemoryCache } from '#ext-authz/token/memory-cache.ts';
import { createEntrySealer } from '#ext-authz/token/sealed-entry.ts';
import {
  createRefusalSealer,
  createSharedRefusals,
  NO_SHARED_REFUSALS,
  type SharedRefusals,
} from '#ext-authz/token/shared-refusals.ts';
import { createSharedTokens } from '#ext-authz/token/shared-tokens.ts';
import { createTieredCache } from '#ext-authz/token/tiered-cache.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { OpenedState } from '#runtime/shared-state/open.ts';
import type { SharedState } from '#runtime/shared-state/shared-state.ts';
import { configuredTokenCacheKeyFile, openTokenCacheKeys } from '#runtime/token-cache-keys.ts';

export type TokenState = {
  readonly cache: TokenCache;
  readonly shared: SharedState;
  readonly sharedRefusals: SharedRefusals;
  /** For `/readyz`. */
  facts(): object;
};

/**
 * @param parts.nowMs ms since the epoch.
 * @throws GatewayError `config_invalid` where processes share state and no usable file of keys is named.
 */
export const openTokenState = (
  opened: OpenedState,
  parts: { readonly logger: Logger; readonly metrics: Metrics; readonly nowMs: () => number },
): TokenState => {
  const { state } = opened;
  const { logger, metrics, nowMs } = parts;
  if (!opened.isShared) {
    const cache = createMemoryCache(nowMs);
    return { cache, shared: state, sharedRefusals: NO_SHARED_REFUSALS, facts: opened.facts };
  }
  const ring = openTokenCacheKeys(configuredTokenCacheKeyFile(), { logger, nowMs });
  const unopened = metrics.counter(
    'token_cache_unopened_total',
    'Shared entries that did not open: changed, under another key, or not ours',
    ['fault'],
  );
  const sealing = { ring, countUnopened: (fault: SealFault) => unopened.inc({ fault }) };
  const tokens = createSharedTokens({ state, sealer: createEntrySealer(sealing), nowMs });
  return {
    cache: createTieredCache({ local: createLocalTokens(nowMs), shared: tokens, nowMs }),
    shared: state,
    sharedRefusals: createSharedRefusals(state, createRefusalSealer(sealing)),
    facts: () => ({ ...opened.facts(), ...ring.facts() }),
  };
};
