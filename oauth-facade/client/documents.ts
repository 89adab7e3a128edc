// Documents of clients, fetched from wherever a stranger's client id points to: through the egress guard, bounded in size,
// time and number, kept for as long as they say. Of why one could not be had the stranger is told nothing, or the façade
// would be a way to look around the network it is in.

import { LRUCache } from 'lru-cache';
import { GatewayError } from '#core/gateway-error.ts';
import { isJsonObject, type JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type Refusal, refuse } from '#oauth-facade/refusal.ts';
import type { EgressGuard, EgressResponse } from '#runtime/egress-guard.ts';
import type { RateLimit } from '#runtime/rate-limit.ts';
import { createSingleflight } from '#runtime/singleflight.ts';

export type Documents = {
  /**
   * The document at the address, or `invalid_client`, `temporarily_unavailable`.
   * @param facade on whose account it is fetched, if it is not there yet
   */
  find(url: string, facade: string): Promise<Result<JsonObject, Refusal>>;
};

/** The draft advises 5 kilobytes (§6.6); lists of redirect URIs are longer sometimes. */
const MAX_BYTES = 10 * 1024;
const TIMEOUT_MS = 4_000;
const MAX_KEPT = 500;
const MAX_AT_ONCE = 16;

const KEPT_SECONDS = { least: 60, usual: 3_600, most: 24 * 3_600, fault: 30 } as const;

const parseDocument = (text: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const judge = ({ status, headers, body }: EgressResponse, url: string): Result<JsonObject, string> => {
  if (status !== 200) return err(`the answer has status ${status}`);
  if (!/^application\/(?:json|[\w.-]+\+json)\s*(?:;|$)/i.test(headers.get('content-type') ?? ''))
    return err('the answer is no JSON');
  const document = parseDocument(body);
  if (document === undefined) return err('the answer is no JSON object');
  // §4: to the letter. A document that names another address is another client's, copied or reached by a detour.
  return document['client_id'] === url ? ok(document) : err('the document names another client_id');
};

const keptSeconds = (headers: Headers): number => {
  const asked = /(?:^|[\s,])max-age=(\d{1,9})/.exec(headers.get('cache-control') ?? '')?.[1];
  return Math.min(KEPT_SECONDS.most, Math.max(KEPT_SECONDS.least, Number(asked ?? KEPT_SECONDS.usual)));
};

const unusable = (detail: string) =>
  refuse('invalid_client', 'The document of the client cannot be used.', { detail });

const busy = (retryAfterSeconds: number) =>
  refuse('temporarily_unavailable', 'Too many unknown clients come at once; try again in a moment.', {
    retryAfterSeconds,
  });

type Found = { readonly result: Result<JsonObject, string>; readonly seconds: number };

const fetchDocument = async (fetch: EgressGuard['fetch'], url: string): Promise<Found> => {
  try {
    const answer = await fetch(url, {
      headers: { accept: 'application/json' },
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    });
    const result = judge(answer, url);
    return { result, seconds: result.ok ? keptSeconds(answer.headers) : KEPT_SECONDS.fault };
  } catch (thrown) {
    return { result: err(GatewayError.from(thrown).message), seconds: KEPT_SECONDS.fault };
  }
};

/** @param strangers bounds how often one façade has something fetched that is not there */
export const createDocuments = ({
  fetch,
  strangers,
  nowMs,
}: {
  readonly fetch: EgressGuard['fetch'];
  readonly strangers: RateLimit;
  readonly nowMs: () => number;
}): Documents => {
  const kept = new LRUCache<string, Found & { readonly untilMs: number }>({ max: MAX_KEPT });
  const flights = createSingleflight<Found>();
  let running = 0;
  const start = async (url: string): Promise<Found> => {
    running += 1;
    try {
      const found = await fetchDocument(fetch, url);
      kept.set(url, { ...found, untilMs: nowMs() + found.seconds * 1000 });
      return found;
    } finally {
      running -= 1;
    }
  };
  const fetchOnce = async (url: string): Promise<Pick<Found, 'result'>> => {
    const flown = await flights.run(url, () => start(url), AbortSignal.timeout(TIMEOUT_MS * 2));
    return flown.ok ? flown.value : { result: err('it took too long') };
  };
  return {
    find: async (url, facade) => {
      const known = kept.get(url);
      const isKept = known !== undefined && known.untilMs > nowMs();
      const waitSeconds = isKept ? 0 : strangers.take(facade, nowMs());
      if (waitSeconds > 0 || (!isKept && running >= MAX_AT_ONCE)) return busy(Math.max(1, waitSeconds));
      const { result } = isKept ? known : await fetchOnce(url);
      return result.ok ? result : unusable(result.error);
    },
  };
};
