// Verifies tokens that only their issuer can read: the one issuer of the server that can be asked is asked. A token goes to
// no other, because whoever is asked about a token has it.

import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type Deny, deny } from '#core/decision.ts';
import type { Introspection, TrustedIssuer } from '#core/issuer.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { Secret } from '#core/secret.ts';
import { findIssuer } from '#core/tenant.ts';
import type { CredentialVerifier, Presentation, VerifiedCredential } from '#ext-authz/identity/credential.ts';
import type { Introspector } from '#ext-authz/identity/introspection.ts';
import { accessTokenClaims, type IntrospectedClaims } from '#ext-authz/identity/introspection-answer.ts';
import { credentialFromClaims, type Terms } from '#ext-authz/identity/verified-claims.ts';
import { createSingleflight } from '#runtime/singleflight.ts';

/** Tokens that were not active are asked about again after this: a client that repeats one costs the issuer nothing. */
const INACTIVE_SECONDS = 10;
const MAX_INACTIVE = 10_000;

/**
 * A signed token has two dots and an encrypted one four. Neither is shown to anybody, also where it is damaged: the first is
 * read here, the second by nobody.
 */
const hasParts = (token: string): boolean => token.split('.').length > 2;

type AskedTerms = Terms & { readonly introspection: Introspection };

const isAsked = (
  issuer: TrustedIssuer | undefined,
): issuer is TrustedIssuer & { introspection: Introspection } =>
  issuer?.enabled === true && issuer.introspection !== undefined;

/**
 * The issuer of the server that is asked. The registry lets a server have one; with two, a token of the one would be shown
 * to the other.
 * @returns its terms, or token_malformed where there is none: such a token then means nothing here.
 */
const findTerms = ({ tenant, server }: Presentation): Result<AskedTerms, Deny> => {
  const [asked, ...others] = server.bindings.flatMap((binding) => {
    const issuer = findIssuer(tenant, binding.issuerId);
    return isAsked(issuer) ? [{ issuer, binding }] : [];
  });
  if (asked === undefined) return err(deny('token_malformed'));
  if (others.length > 0) return err(deny('issuer_unknown', { log: { fault: 'ambiguous issuers' } }));
  const { issuer, binding } = asked;
  const accepted = { issuer, iss: issuer.issuer, directories: [] };
  return ok({ accepted, binding, introspection: issuer.introspection });
};

const keyOf = (token: Secret, tenantId: string, introspection: Introspection): string =>
  createHash('sha256')
    .update(JSON.stringify([tenantId, introspection.endpoint, introspection.clientId, token.reveal()]))
    .digest('base64url');

/** Verifies opaque tokens by asking. */
export const createOpaqueVerifier = (introspector: Introspector): CredentialVerifier => {
  const flights = createSingleflight<Result<IntrospectedClaims, Deny>>();
  /** Until when, seconds since the epoch. */
  const inactive = new LRUCache<string, number>({ max: MAX_INACTIVE });

  const ask = async (
    token: Secret,
    introspection: Introspection,
    at: Presentation,
  ): Promise<Result<IntrospectedClaims, Deny>> => {
    const key = keyOf(token, at.tenant.id, introspection);
    if ((inactive.get(key) ?? 0) > at.nowSeconds) return ok(undefined);
    const question = { tenantId: at.tenant.id, introspection, token };
    const answer = await flights.run(key, () => introspector.ask(question), at.signal);
    if (!answer.ok) return err(deny('deadline_exceeded', { log: { waitedFor: 'introspection' } }));
    const isInactive = answer.value.ok && answer.value.value === undefined;
    if (isInactive) inactive.set(key, at.nowSeconds + INACTIVE_SECONDS);
    return answer.value;
  };

  return {
    recognises: (credential) => !hasParts(credential),
    verify: async (token, at): Promise<Result<VerifiedCredential, Deny>> => {
      const terms = findTerms(at);
      if (!terms.ok) return terms;
      const { accepted, introspection } = terms.value;
      const answer = await ask(token, introspection, at);
      if (!answer.ok) return answer;
      if (answer.value === undefined)
        return err(deny('token_inactive', { log: { issuer: accepted.issuer.id } }));
      const claims = accessTokenClaims(answer.value, accepted.iss);
      if (!claims.ok) return claims;
      const basis = { kind: 'answer', until: at.nowSeconds + introspection.maxAgeSeconds } as const;
      return credentialFromClaims(claims.value, { ...terms.value, nowSeconds: at.nowSeconds, basis });
    },
  };
};
