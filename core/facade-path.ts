// Addresses of sign-in façades: each issuer of a tenant that has one is an authorization server of its own.

import { ID_PATTERN } from '#core/endpoint-path.ts';

/** One issuer of one tenant: a façade is the authorization server of both together. */
export type FacadeRef = { readonly tenantId: string; readonly issuerId: string };

const ID = ID_PATTERN.slice(1, -1);
const ISSUER_PATH = new RegExp(`^/t/(${ID})/i/(${ID})(/.*)?$`);

const issuerPath = ({ tenantId, issuerId }: FacadeRef): string => `/t/${tenantId}/i/${issuerId}`;

/** The `issuer` of a façade's metadata (RFC 8414), below the public URL of the service. */
export const facadeIssuerUrl = (publicUrl: string, ref: FacadeRef): string =>
  `${publicUrl}${issuerPath(ref)}`;

/** Which façade a path belongs to, and what follows its issuer's; undefined if the path is none's. */
export const findFacade = (path: string): (FacadeRef & { readonly rest: string }) | undefined => {
  const [, tenantId, issuerId, rest = ''] = ISSUER_PATH.exec(path) ?? [];
  return tenantId === undefined || issuerId === undefined ? undefined : { tenantId, issuerId, rest };
};

/** Before the path of an issuer, where its metadata is (RFC 8414 §3.1). */
export const METADATA_PREFIX = '/.well-known/oauth-authorization-server';
