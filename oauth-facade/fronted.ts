// The façade a request is for: the issuer it stands before, of which tenant, in the current snapshot.

import { type FacadeRef, facadeIssuerUrl } from '#core/facade-path.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { SignInFacade } from '#core/sign-in-facade.ts';
import { findTenant, type Snapshot } from '#core/snapshot.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';

export type Fronted = {
  readonly ref: FacadeRef;
  readonly tenant: Tenant;
  readonly issuer: TrustedIssuer;
  readonly facade: SignInFacade;
  /** Of the façade: its `issuer` (RFC 8414), below which its endpoints are. */
  readonly url: string;
};

/** Undefined where there is no such issuer, it is switched off, or has no façade: all the same to a stranger. */
export const findFronted = (snapshot: Snapshot, ref: FacadeRef, publicUrl: string): Fronted | undefined => {
  const tenant = findTenant(snapshot, ref.tenantId);
  const issuer = tenant === undefined ? undefined : findIssuer(tenant, ref.issuerId);
  if (tenant === undefined || issuer?.facade === undefined || !issuer.enabled) return undefined;
  return { ref, tenant, issuer, facade: issuer.facade, url: facadeIssuerUrl(publicUrl, ref) };
};
