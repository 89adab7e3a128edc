// The keys of somebody who signs what the registry is sent: an admin issuer, a transmitter of signals. They are fetched when
// first needed and refreshed in the background; one that is away costs nothing as long as its last good keys are known.

import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from 'jose';
import { GatewayError } from '#core/gateway-error.ts';
import type { EgressGuard } from '#runtime/egress-guard.ts';
import type { Logger } from '#runtime/logger.ts';

/** How often known keys are looked at again, milliseconds: how long a withdrawn key goes on being believed. */
const REFRESH_MS = 15 * 60_000;
const FETCH_TIMEOUT_MS = 5_000;
/** Entra's key document has about ten kilobytes. */
const MAX_BYTES = 512 * 1024;
/** Shortest time between two fetches for unknown keys, milliseconds: tokens with invented `kid`s must not become a flood. */
const COOLDOWN_MS = 10_000;
/** After a failed fetch the next one waits this long, milliseconds. */
const FAILURE_PAUSE_MS = 3_000;

export type RemoteKeys = {
  readonly getKey: JWTVerifyGetKey;
  stop(): void;
};

/** The network through the guard, as jose asks for it: for addresses that somebody has registered. */
export const guardedFetch =
  (guard: Pick<EgressGuard, 'fetch'>): FetchImplementation =>
  async (url) => {
    const { status, body } = await guard.fetch(url, { timeoutMs: FETCH_TIMEOUT_MS, maxBytes: MAX_BYTES });
    return new Response(body, { status });
  };

/** Entra's shared key documents hold keys of many directories; each says whose it is, with `{tenantid}` for any GUID. */
const isKeyOf = (keyIssuer: string, issuer: string): boolean => {
  const [prefix = '', suffix] = keyIssuer.split('{tenantid}');
  if (suffix === undefined) return keyIssuer === issuer;
  const directory = issuer.slice(prefix.length, issuer.length - suffix.length);
  return issuer === `${prefix}${directory}${suffix}` && /^[0-9a-f-]{36}$/.test(directory);
};

const pausedFetch = (fetchKeys: FetchImplementation): FetchImplementation => {
  let pausedUntilMs = 0;
  return async (url, options) => {
    if (performance.now() < pausedUntilMs)
      throw new GatewayError('provider_failed', 'the keys could not be fetched just now');
    pausedUntilMs = performance.now() + FAILURE_PAUSE_MS;
    const response = await fetchKeys(url, options);
    if (response.status === 200) pausedUntilMs = 0;
    return response;
  };
};

/** The keys behind `jwksUri`, of which only those that are `issuer`'s verify anything. */
export const createRemoteKeys = (options: {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly logger: Logger;
  readonly fetchKeys: FetchImplementation;
}): RemoteKeys => {
  const { issuer, jwksUri, logger } = options;
  const remote = createRemoteJWKSet(new URL(jwksUri), {
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: COOLDOWN_MS,
    timeoutDuration: FETCH_TIMEOUT_MS,
    [customFetch]: pausedFetch(options.fetchKeys),
  });
  const refresh = setInterval(() => {
    remote.reload().catch((thrown: unknown) => {
      logger.warn(
        { jwksUri, error: GatewayError.from(thrown).message },
        'keys not refreshed; last good ones kept',
      );
    });
  }, REFRESH_MS).unref();
  return {
    getKey: async (header, token) => {
      const key = await remote(header, token);
      const isForeign = (remote.jwks()?.keys ?? []).some((candidate) => {
        const owner = (candidate as Readonly<Record<string, unknown>>)['issuer'];
        return candidate.kid === header.kid && typeof owner === 'string' && !isKeyOf(owner, issuer);
      });
      if (isForeign) throw new errors.JWKSNoMatchingKey('the key belongs to another issuer');
      return key;
    },
    stop: () => clearInterval(refresh),
  };
};

/** No answer in time, no key document in the answer, no 200 (which jose gives no code of its own). */
const OUTAGE_CODES: ReadonlySet<string> = new Set([
  errors.JWKSTimeout.code,
  errors.JWKSInvalid.code,
  errors.JOSEError.code,
]);

/**
 * Whether what verifying threw is about the keys and not about what was signed: jose names what is wrong with a token by a
 * code, and whatever has none is of the network.
 */
export const isKeyOutage = (thrown: unknown): boolean =>
  !(thrown instanceof errors.JOSEError) || OUTAGE_CODES.has(thrown.code);
