// Under which name a token or a refusal is kept. A key that forgets an input hands one caller another's token, so
// the whole plan of the exchange is in it, and all of the caller, as JSON: no two lists of parts have one text.

import { createHash } from 'node:crypto';
import { canonicalJson } from '#core/canonical-json.ts';
import type { Identity } from '#core/identity.ts';
import type { Json } from '#core/json.ts';
import type { Secret } from '#core/secret.ts';
import { type ExchangePlan, isDelegated } from '#ext-authz/token/exchange-plan.ts';

export type CacheKeys = {
  /** The token, its flight, and refusals of this caller. */
  readonly caller: string;
  /** Refusals for want of consent. */
  readonly consent: string;
  /** Refusals of the gateway's own credential. */
  readonly application: string;
  /** Whose token it is, for a purge: a caller of one tenant. */
  readonly owner: string;
};

const digest = (parts: readonly unknown[]): string =>
  createHash('sha256').update(canonicalJson(parts)).digest('base64url');

/** Who the token speaks for. An app-only token is the application's own, whoever called. */
const callerParts = (plan: ExchangePlan, identity: Identity, assertion: Secret): readonly Json[] =>
  isDelegated(plan)
    ? [
        identity.principal,
        identity.kind,
        identity.subject,
        identity.tid ?? null,
        identity.oid ?? null,
        identity.actor ?? null,
        identity.assurance.toSorted(),
        // The assertion itself is not put into a key: keys are listed, logged and shared more freely than values.
        createHash('sha256').update(assertion.reveal()).digest('base64url'),
      ]
    : [];

/** Name of a caller's tokens, for `TokenCache.purge`. */
export const ownerKey = (tenantId: string, principal: string): string =>
  digest(['owner', tenantId, principal]);

/** The keys of one exchange. */
export const cacheKeys = (call: {
  readonly tenantId: string;
  readonly identity: Identity;
  readonly assertion: Secret;
  readonly plan: ExchangePlan;
}): CacheKeys => {
  const { tenantId, identity, plan } = call;
  const { application, tokenEndpoint } = plan;
  const place = [tenantId, identity.issuerId, identity.issuer];
  return {
    caller: digest(['token', place, plan, callerParts(plan, identity, call.assertion)]),
    consent: digest(['consent', place, plan]),
    application: digest(['application', place, tokenEndpoint, application]),
    owner: ownerKey(tenantId, identity.principal),
  };
};
