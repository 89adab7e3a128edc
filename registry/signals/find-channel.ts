// Which channel an address means: that of an issuer which a tenant trusts now, and which has such a channel.

import type { TrustedIssuer } from '#core/issuer.ts';
import { findIssuer } from '#core/tenant.ts';
import type { Store } from '#registry/store/store.ts';

export type IssuerPlace = { readonly tenantId: string; readonly issuerId: string };

/** The issuer, if it is enabled; undefined says no more than that there is nothing here. @throws GatewayError `store_failed`. */
export const findEnabledIssuer = async (
  store: Pick<Store, 'findTenant'>,
  { tenantId, issuerId }: IssuerPlace,
): Promise<TrustedIssuer | undefined> => {
  const stored = await store.findTenant(tenantId);
  const issuer = stored === undefined ? undefined : findIssuer(stored.tenant, issuerId);
  return issuer?.enabled === true ? issuer : undefined;
};
