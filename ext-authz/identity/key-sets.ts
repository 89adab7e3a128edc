// Every key set the trusted issuers need: fetched through the egress guard, refreshed in the background, measured.
// Tenants that name one address share its keys; whom a key may speak for is judged with the token, not here.

import { GatewayError } from '#core/gateway-error.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { TokenHint } from '#ext-authz/identity/jwt-parts.ts';
import { createKeySet, type KeySet, type StoredKeySet } from '#ext-authz/identity/key-set.ts';
import { type KeySetDocument, parseKeySet } from '#ext-authz/identity/key-set-document.ts';
import type { KeySetStore } from '#ext-authz/identity/key-set-store.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';

export type KeySets = {
  /** Finds the key a token of this issuer names. */
  find(issuer: TrustedIssuer, token: TokenHint): ReturnType<KeySet['find']>;
  /** Changes when a key of the issuer comes or goes; undefined while none is known. */
  revision(issuer: TrustedIssuer): string | undefined;
  /** Takes the issuers of a new snapshot: fetches the keys of new ones ahead of the first call, drops the others. */
  follow(snapshot: Snapshot): void;
  /** One turn of the background clock: refreshes what is due. It turns by itself until `stop`. */
  refreshDue(): Promise<void>;
  stop(): void;
};

const FETCH_LIMITS = { timeoutMs: 5_000, maxBytes: 512 * 1024 };

/** How often the background looks for what is due. */
const TICK_MS = 5_000;

type Follower = { readonly tenant: string; readonly issuer: string };

const followersOf = (snapshot: Snapshot): Map<string, Follower[]> => {
  const followers = new Map<string, Follower[]>();
  for (const tenant of snapshot.tenants) {
    for (const issuer of tenant.issuers.filter((candidate) => candidate.enabled)) {
      const known = followers.get(issuer.jwksUri) ?? [];
      followers.set(issuer.jwksUri, [...known, { tenant: tenant.id, issuer: issuer.id }]);
    }
  }
  return followers;
};

/** Most changes are of anything but issuers, which are then the same lists. */
const isSameList = (a: readonly object[], b: readonly object[]): boolean =>
  a.length === b.length && a.every((item, at) => item === b[at]);

const createFetcher = (options: {
  readonly fetch: EgressGuard['fetch'];
  readonly logger: Logger;
  readonly metrics: Metrics;
}): ((jwksUri: string) => Promise<KeySetDocument>) => {
  const fetches = options.metrics.counter('jwks_fetches_total', 'Fetches of JSON Web Key Sets.', ['outcome']);
  const fetchDocument = async (jwksUri: string): Promise<KeySetDocument> => {
    const answer = await options.fetch(jwksUri, { ...FETCH_LIMITS, headers: { accept: 'application/json' } });
    if (answer.status !== 200)
      throw new GatewayError('provider_failed', `the answer has status ${answer.status}`);
    const parsed = parseKeySet(answer.body);
    if (!parsed.ok) throw new GatewayError('provider_failed', parsed.error);
    return parsed.value;
  };
  return async (jwksUri) => {
    try {
      const document = await fetchDocument(jwksUri);
      fetches.inc({ outcome: 'ok' });
      return document;
    } catch (thrown) {
      const error = GatewayError.from(thrown);
      fetches.inc({ outcome: error.code === 'egress_refused' ? 'refused' : 'failed' });
      options.logger.warn({ jwksUri, code: error.code, error: error.message }, 'key set not fetched');
      throw error;
    }
  };
};

const createAgeMetric = (metrics: Metrics) => {
  const gauge = metrics.gauge(
    'jwks_fetched_timestamp_seconds',
    'When the keys of an issuer were last confirmed by their provider; its age is time() minus this.',
    ['tenant', 'issuer'],
  );
  return {
    reset: () => gauge.reset(),
    set: (followers: readonly Follower[], stored: StoredKeySet | undefined) => {
      if (stored === undefined) return;
      for (const follower of followers) gauge.set(follower, stored.fetchedAtMs / 1000);
    },
  };
};

/** The key sets of one process, with a background clock that does not keep it alive. */
export const createKeySets = (options: {
  readonly fetch: EgressGuard['fetch'];
  readonly store: KeySetStore;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  readonly random: () => number;
}): KeySets => {
  const { store, logger, nowMs, random } = options;
  const fetchDocument = createFetcher(options);
  const age = createAgeMetric(options.metrics);
  const sets = new Map<string, KeySet>();
  let followers: ReadonlyMap<string, readonly Follower[]> = new Map();
  let followed: readonly (readonly TrustedIssuer[])[] = [];

  const create = (jwksUri: string): KeySet =>
    createKeySet({
      fetchDocument: () => fetchDocument(jwksUri),
      loadStored: () => store.load(jwksUri),
      onFetched: async (stored) => {
        age.set(followers.get(jwksUri) ?? [], stored);
        await store.save(jwksUri, stored).catch((thrown: unknown) => {
          logger.warn({ jwksUri, error: GatewayError.from(thrown).message }, 'key set not written to disk');
        });
      },
      nowMs,
      random,
    });
  const setOf = (jwksUri: string): KeySet => {
    const known = sets.get(jwksUri) ?? create(jwksUri);
    sets.set(jwksUri, known);
    return known;
  };
  const refreshDue = async (): Promise<void> => {
    await Promise.all([...sets.values()].map((set) => set.refreshIfDue()));
    for (const [jwksUri, following] of followers) age.set(following, sets.get(jwksUri)?.current());
  };
  const clock = setInterval(() => void refreshDue(), TICK_MS);
  clock.unref();

  return {
    find: (issuer, token) => setOf(issuer.jwksUri).find(token),
    revision: (issuer) => sets.get(issuer.jwksUri)?.current()?.document.revision,
    follow: (snapshot) => {
      const issuers = snapshot.tenants.map((tenant) => tenant.issuers);
      if (isSameList(issuers, followed)) return;
      followed = issuers;
      followers = followersOf(snapshot);
      for (const jwksUri of sets.keys()) if (!followers.has(jwksUri)) sets.delete(jwksUri);
      for (const jwksUri of followers.keys()) setOf(jwksUri);
      age.reset();
      void refreshDue();
    },
    refreshDue,
    stop: () => clearInterval(clock),
  };
};
