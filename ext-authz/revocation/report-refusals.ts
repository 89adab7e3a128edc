// What an identity provider lets slip when it is asked for a token: that it has ended a person's sign-ins. One process
// hears it, in the answer to one exchange; said to the registry, it holds for every token of that person everywhere.

import { LRUCache } from 'lru-cache';
import type { Identity } from '#core/identity.ts';
import type { Result } from '#core/result.ts';
import type { RevocationAnswer, RevocationReport, RevocationTarget } from '#core/revocation.ts';
import { targetKey } from '#core/revocation.ts';
import type { TokenBroker } from '#ext-authz/token/broker.ts';
import type { TokenRequest } from '#ext-authz/token/token-call.ts';
import type { Logger } from '#runtime/logger.ts';

export type ReportRevocation = (report: RevocationReport) => Promise<Result<RevocationAnswer, string>>;

/**
 * The provider speaks of the sign-ins up to a moment it does not tell. Tokens that it issued within the last minutes may be
 * from after it, and Entra dates its own back by up to five: only what is older is taken with the token it refused.
 */
const RECENT_SECONDS = 300;

/** People whose refusals are under way or were told. */
const MAX_TOLD = 10_000;

const targetOf = ({ tid, oid, issuerId, subject }: Identity): RevocationTarget =>
  tid !== undefined && oid !== undefined
    ? { kind: 'directory-user', tid, oid }
    : { kind: 'subject', issuerId, subject };

const reportOf = ({ tenant, identity, nowSeconds }: TokenRequest): RevocationReport => ({
  tenantId: tenant.id,
  target: targetOf(identity),
  notBefore: Math.max(identity.issuedAt + 1, nowSeconds - RECENT_SECONDS),
  source: 'token-exchange',
  reason: 'The identity provider has ended the session, as it said at a token exchange.',
});

/**
 * The broker, with its refusals of that kind reported. A call does not wait for the report; one that fails is made again
 * with the caller's next try, as long as the provider's refusal stands.
 */
export const reportingBroker = (
  broker: TokenBroker,
  { report, logger }: { readonly report: ReportRevocation; readonly logger: Logger },
): TokenBroker => {
  /** Up to which moment each person's end was told. */
  const told = new LRUCache<string, number>({ max: MAX_TOLD });

  const tell = async (request: TokenRequest): Promise<void> => {
    const said = reportOf(request);
    const { tenantId, target, notBefore } = said;
    const key = JSON.stringify([tenantId, targetKey(target)]);
    if ((told.get(key) ?? 0) >= notBefore) return;
    told.set(key, notBefore);
    const answered = await report(said);
    if (answered.ok && answered.value.state === 'recorded') return;
    told.delete(key);
    const fault = answered.ok ? answered.value : { fault: answered.error };
    logger.warn(
      { tenant: tenantId, ...fault },
      'revocation not recorded; reported again with the next refusal',
    );
  };

  return {
    ...broker,
    acquire: async (request) => {
      const acquired = await broker.acquire(request);
      // An application's refusal is its own: there is nobody whose sign-ins could have been ended.
      if (!acquired.ok && acquired.error.reason === 'session_revoked' && request.identity.kind === 'user')
        void tell(request);
      return acquired;
    },
  };
};
