// Which consents a browser remembers: sealed in a cookie of its own, for one client, one place it is sent back to and the
// same scopes of the same server. Anything that differs is asked about anew: that a person signed in to the provider once
// is not his word for whoever comes next (confused deputy).

import { createHash } from 'node:crypto';
import type { FacadeRef } from '#core/facade-path.ts';
import type { Authorization } from '#oauth-facade/authorize/authorization.ts';
import { isLoopback } from '#oauth-facade/client/redirect-uri.ts';
import type { Fronted } from '#oauth-facade/fronted.ts';
import type { Sealer } from '#oauth-facade/sealer.ts';

/** Consents of one browser: what a cookie holds; the oldest make room. */
const MAX_KEPT = 20;
const LIFETIME_SECONDS = 30 * 24 * 3600;
const DIGEST_CHARACTERS = 22;

type Kept = readonly [consent: string, untilSeconds: number];
type Cookie = readonly [browser: string, kept: readonly Kept[]];

type ConsentRecord = {
  readonly fronted: Fronted;
  /** `browserDigest` of the browser's id: a cookie that was carried to another browser says nothing there. */
  readonly browser: string;
  /** The cookie as it came; undefined: none. */
  readonly cookie: string | undefined;
  readonly nowSeconds: number;
};

/** One cookie for all façades of the host: each consent says whose it is. */
const EVERY_FACADE: FacadeRef = { tenantId: '', issuerId: '' };

const consentOf = ({ ref }: Fronted, { client, redirectUri, resource, scopes }: Authorization): string =>
  createHash('sha256')
    .update(
      JSON.stringify([ref.tenantId, ref.issuerId, client, new URL(redirectUri).origin, resource, scopes]),
    )
    .digest('base64url')
    .slice(0, DIGEST_CHARACTERS);

const readKept = (sealer: Sealer, { browser, cookie, nowSeconds }: ConsentRecord): readonly Kept[] => {
  const opened = cookie === undefined ? undefined : sealer.open<Cookie>('consents', EVERY_FACADE, cookie);
  const [owner, kept] = opened ?? ['', []];
  return owner === browser ? kept.filter(([, until]) => until > nowSeconds) : [];
};

/** Whether the person has allowed just this here before. */
export const isRemembered = (sealer: Sealer, record: ConsentRecord, authorization: Authorization): boolean =>
  readKept(sealer, record).some(([consent]) => consent === consentOf(record.fronted, authorization));

/**
 * The cookie with this consent in it; undefined for a client on this machine, where none is remembered: any program can listen
 * at a port and call itself by a known name, so somebody has to look each time (RFC 8252 §8.6).
 */
export const rememberConsent = (
  sealer: Sealer,
  record: ConsentRecord,
  authorization: Authorization,
): string | undefined => {
  if (isLoopback(authorization.redirectUri)) return undefined;
  const consent = consentOf(record.fronted, authorization);
  const others = readKept(sealer, record).filter(([known]) => known !== consent);
  const kept = [...others, [consent, record.nowSeconds + LIFETIME_SECONDS] as const].slice(-MAX_KEPT);
  return sealer.seal('consents', EVERY_FACADE, [record.browser, kept]);
};
