// Whether what a caller holds was revoked. Asked with every call, also of tokens that were verified a moment ago, and once
// more after others were waited for: it is a few lookups. It only refuses. Pure.

import { type Deny, deny } from '#core/decision.ts';
import type { Identity } from '#core/identity.ts';
import { credentialFacts } from '#core/revocation.ts';
import type { RevocationBook } from '#core/revocation-book.ts';
import type { CallSession } from '#core/sealed-session.ts';
import type { Tenant } from '#core/tenant.ts';

/** What is known of revocations, and when the registry last said that it is all. */
type KnownRevocations = {
  readonly book: RevocationBook;
  /** Milliseconds since the epoch; 0 for never. */
  readonly freshAtMs: number;
};

const isStale = (
  { maxRevocationStaleSeconds: bound }: Tenant,
  { freshAtMs }: KnownRevocations,
  nowMs: number,
): boolean => bound !== undefined && nowMs - freshAtMs > bound * 1000;

/**
 * A mark that is known is said before anything else: it holds however old the rest is.
 * @returns token_revoked, at which a client signs its user in anew; revocations_stale where the tenant would rather have
 * no calls than calls of people who may have been revoked; or undefined.
 */
export const judgeRevocation = (
  tenant: Tenant,
  identity: Identity,
  known: KnownRevocations & { readonly nowMs: number },
): Deny | undefined => {
  const mark = known.book.find(tenant.id, credentialFacts(identity));
  if (mark !== undefined) {
    const { id, source, notBefore } = mark;
    return deny('token_revoked', { log: { revocation: id, source, notBefore, issuedAt: identity.issuedAt } });
  }
  return isStale(tenant, known, known.nowMs) ? deny('revocations_stale') : undefined;
};

/** A session that began before its owner's mark is over, also for him who has signed in anew: he begins another. */
export const judgeSession = (
  tenant: Tenant,
  { identity, session }: { readonly identity: Identity; readonly session: CallSession },
  book: RevocationBook,
): Deny | undefined =>
  session.startedAt < book.sessionsFrom(tenant.id, credentialFacts(identity))
    ? deny('session_unknown', { log: { fault: 'revoked' } })
    : undefined;
