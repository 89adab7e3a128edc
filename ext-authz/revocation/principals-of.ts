// By which names the callers that a mark means are known in caches: a principal holds the text of its issuer, which for a
// directory is one for each version of its tokens. Pure.

import { principalKey } from '#core/identity.ts';
import type { RevocationTarget } from '#core/revocation.ts';
import type { Tenant } from '#core/tenant.ts';
import { expandDirectory } from '#ext-authz/identity/issuers.ts';

/**
 * The principals of a target, as far as the tenant's settings tell them: nobody's for one token, and none for a `sub` of
 * Entra, which says nothing of the person's object id. Those are found where their tokens were seen.
 */
export const principalsOf = (tenant: Tenant, target: RevocationTarget): readonly string[] => {
  if (target.kind === 'token') return [];
  if (target.kind === 'subject') {
    const { issuerId, subject } = target;
    return tenant.issuers
      .filter(({ id, kind }) => id === issuerId && kind !== 'entra')
      .map(({ issuer }) => principalKey({ issuer, subject }));
  }
  const [tid, oid] = [target.tid.toLowerCase(), target.oid.toLowerCase()];
  const issuers = tenant.issuers.filter(({ kind }) => kind === 'entra');
  const texts = new Set(issuers.map(({ issuer }) => expandDirectory(issuer, tid)));
  return [...texts].map((issuer) => principalKey({ issuer, subject: oid, tid, oid }));
};
