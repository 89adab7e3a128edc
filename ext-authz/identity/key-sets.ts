// Every key set the trusted issuers need: fetched through the egress guard, refreshed in the background, measured.
// Tenants that name one source share its keys; whom a key may speak for is judged with the token, not here.

import { GatewayError } from '#core/gateway-error.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { Result } from '#core/result.ts';
import type { Snapshot } from '#core/snapshot.ts';
import type { TokenHint } from '#ext-authz/identity/jwt-parts.ts';
import { createKeySet, type KeySet, type StoredKeySet } from '#ext-authz/identity/key-set.ts';
import { type KeySetDocument, parseKeySet } from '#ext-authz/identity/key-set-document.ts';
import type { KeySetStore } from '#ext-authz/identity/key-set-store.ts';
import { type KeySource, keySourceOf, parseDiscovery, sourceName } from '#ext-authz/identity/key-source.ts';
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

type Followed = { readonly source: KeySource; readonly followers: readonly Follower[] };

/** Sources by name, each with who needs it. */
const followedIn = (snapshot: Snapshot): ReadonlyMap<string, Followed> => {
  const followed = new Map<string, Followed>();
  for (const tenant of snapshot.tenants) {
    for (const issuer of tenant.issuers.filter((candidate) => candidate.enabled)) {
      const source = keySourceOf(issuer);
      const followers = followed.get(sourceName(source))?.followers ?? [];
      followed.set(sourceName(source), {
        source,
        followers: [...followers, { tenant: tenant.id, issuer: issuer.id }],
      });
    }
  }
  return followed;
};

/** Most changes are of anything but issuers, which are then the same lists. */
const isSameList = (a: readonly object[], b: readonly object[]): boolean =>
  a.length === b.length && a.every((item, at) => item === b[at]);

const readable = <T>(parsed: Result<T, string>): T => {
  if (!parsed.ok) throw new GatewayError('provider_failed', parsed.error);
  return parsed.value;
};

const createFetcher = (options: {
  readonly fetch: EgressGuard['fetch'];
  readonly logger: Logger;
  readonly metrics: Metrics;
}): ((source: KeySource) => Promise<KeySetDocument>) => {
  const fetches = options.metrics.counter('jwks_fetches_total', 'Fetches of JSON Web Key Sets.', ['outcome']);
  const fetchText = async (uri: string): Promise<string> => {
    const { status, body } = await options.fetch(uri, {
      ...FETCH_LIMITS,
      headers: { accept: 'application/json' },
    });
    if (status !== 200) throw new GatewayError('provider_failed', `the answer has status ${status}`);
    return body;
  };
  const jwksUriOf = async (source: KeySource): Promise<string> =>
    source.kind === 'jwks'
      ? source.uri
      : readable(parseDiscovery(await fetchText(source.uri), source.issuer));
  return async (source) => {
    try {
      const document = readable(parseKeySet(await fetchText(await jwksUriOf(source))));
      fetches.inc({ outcome: 'ok' });
      return document;
    } catch (thrown) {
      const error = GatewayError.from(thrown);
      fetches.inc({ outcome: error.code === 'egress_refused' ? 'refused' : 'failed' });
      const { kind, uri } = source;
      options.logger.warn(
        { source: kind, uri, code: error.code, error: error.message },
        'key set not fetched',
      );
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
  let followed: ReadonlyMap<string, Followed> = new Map();
  let issuersFollowed: readonly (readonly TrustedIssuer[])[] = [];

  const create = (source: KeySource): KeySet => {
    const name = sourceName(source);
    return createKeySet({
      fetchDocument: () => fetchDocument(source),
      loadStored: () => store.load(name),
      onFetched: async (stored) => {
        age.set(followed.get(name)?.followers ?? [], stored);
        await store.save(name, stored).catch((thrown: unknown) => {
          logger.warn(
            { uri: source.uri, error: GatewayError.from(thrown).message },
            'key set not written to disk',
          );
        });
      },
      nowMs,
      random,
    });
  };
  const setOf = (source: KeySource): KeySet => {
    const known = sets.get(sourceName(source)) ?? create(source);
    sets.set(sourceName(source), known);
    return known;
  };
  const refreshDue = async (): Promise<void> => {
    await Promise.all([...sets.values()].map((set) => set.refreshIfDue()));
    for (const [name, { followers }] of followed) age.set(followers, sets.get(name)?.current());
  };
  const clock = setInterval(() => void refreshDue(), TICK_MS);
  clock.unref();

  return {
    find: (issuer, token) => setOf(keySourceOf(issuer)).find(token),
    revision: (issuer) => sets.get(sourceName(keySourceOf(issuer)))?.current()?.document.revision,
    follow: (snapshot) => {
      const issuers = snapshot.tenants.map((tenant) => tenant.issuers);
      if (isSameList(issuers, issuersFollowed)) return;
      issuersFollowed = issuers;
      followed = followedIn(snapshot);
      for (const name of sets.keys()) if (!followed.has(name)) sets.delete(name);
      for (const { source } of followed.values()) setOf(source);
      age.reset();
      void refreshDue();
    },
    refreshDue,
    stop: () => clearInterval(clock),
  };
};
