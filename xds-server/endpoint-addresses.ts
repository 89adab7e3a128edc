// Addresses of endpoint URLs, vetted by the egress guard and asked for again in time. Envoy gets addresses only, so a
// name that starts to point into our own network leads nowhere.

import type { Result } from '#core/result.ts';
import type { Logger } from '#runtime/logger.ts';
import type { Metrics } from '#runtime/metrics.ts';
import type { UrlChanges } from '#xds-server/endpoint-urls.ts';

/** Judges and resolves one URL; the error is a sentence without the URL. */
export type ResolveUrl = (
  url: string,
) => Promise<Result<{ readonly addresses: readonly string[]; readonly port: number }, string>>;

export type EndpointAddresses = {
  /** From now on these URLs are kept resolved too, and those no more. Resolves once each was tried once, or the time is over. */
  want(changes: UrlChanges, timeoutMs: number): Promise<void>;
  /** The last good addresses; undefined if there never were any. The same array for as long as nothing changed. */
  find(url: string): readonly string[] | undefined;
  stop(): void;
};

/** How soon a name that has no address yet is tried again: its server is down until then. */
const RETRY_MS = 2_000;

type Entry = {
  addresses: readonly string[] | undefined;
  timer: NodeJS.Timeout | undefined;
  first: Promise<void>;
};

const isSame = (a: readonly string[] | undefined, b: readonly string[]): boolean =>
  a !== undefined && a.length === b.length && a.every((address, index) => address === b[index]);

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });

class Addresses implements EndpointAddresses {
  readonly #options: Parameters<typeof createEndpointAddresses>[0];
  readonly #entries = new Map<string, Entry>();
  readonly #failures;

  constructor(options: Parameters<typeof createEndpointAddresses>[0]) {
    this.#options = options;
    this.#failures = options.metrics.counter(
      'endpoint_resolution_failures_total',
      'Endpoint URLs that could not be resolved, or whose addresses are not allowed.',
    );
  }

  async want({ added, dropped }: UrlChanges, timeoutMs: number): Promise<void> {
    for (const url of dropped) {
      clearTimeout(this.#entries.get(url)?.timer);
      this.#entries.delete(url);
    }
    const fresh = added.filter((url) => !this.#entries.has(url)).map((url) => this.#add(url));
    if (fresh.length > 0) await Promise.race([Promise.all(fresh), sleep(timeoutMs)]);
  }

  find(url: string): readonly string[] | undefined {
    return this.#entries.get(url)?.addresses;
  }

  stop(): void {
    for (const { timer } of this.#entries.values()) clearTimeout(timer);
    this.#entries.clear();
  }

  #add(url: string): Promise<void> {
    const entry: Entry = { addresses: undefined, timer: undefined, first: Promise.resolve() };
    this.#entries.set(url, entry);
    entry.first = this.#refresh(url, entry);
    return entry.first;
  }

  async #refresh(url: string, entry: Entry): Promise<void> {
    const { resolve, ttlMs, onChange } = this.#options;
    const result = await resolve(url).catch((): Awaited<ReturnType<ResolveUrl>> => {
      return { ok: false, error: 'the lookup failed' };
    });
    if (this.#entries.get(url) !== entry) return;
    const isDown = !result.ok && entry.addresses === undefined;
    const delayMs = isDown ? Math.min(RETRY_MS, ttlMs) : ttlMs;
    entry.timer = setTimeout(() => void this.#refresh(url, entry), delayMs).unref();
    if (!result.ok) return this.#failed(url, entry, result.error);
    const addresses = [...new Set(result.value.addresses)].sort();
    if (isSame(entry.addresses, addresses)) return;
    entry.addresses = addresses;
    onChange();
  }

  #failed(url: string, entry: Entry, fault: string): void {
    this.#failures.inc();
    const host = URL.parse(url)?.host ?? 'not a URL';
    this.#options.logger.warn(
      { host, fault, keeps: entry.addresses?.length ?? 0 },
      'endpoint not resolved; last good addresses kept',
    );
  }
}

/**
 * Keeps endpoint URLs resolved.
 * @param options.ttlMs how long an answer is used; names of load balancers move within a minute.
 * @param options.onChange called whenever `find` returns something new.
 */
export const createEndpointAddresses = (options: {
  readonly resolve: ResolveUrl;
  readonly ttlMs: number;
  readonly onChange: () => void;
  readonly logger: Logger;
  readonly metrics: Metrics;
}): EndpointAddresses => new Addresses(options);
