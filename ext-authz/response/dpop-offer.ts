// Whether a server takes tokens that are bound to a key, over all its issuers: what challenges and metadata tell. Pure.

import type { DpopMode } from '#core/dpop.ts';
import type { McpServer } from '#core/server.ts';
import { findIssuer, type Tenant } from '#core/tenant.ts';

/** `required` where no enabled issuer's plain tokens are taken, `offered` where bound ones are, undefined where none are. */
export const dpopOffer = (tenant: Tenant, server: McpServer): DpopMode | undefined => {
  const modes = server.bindings
    .filter(({ issuerId }) => findIssuer(tenant, issuerId)?.enabled === true)
    .map(({ dpop }) => dpop);
  if (modes.every((mode) => mode === undefined)) return undefined;
  return modes.every((mode) => mode === 'required') ? 'required' : 'offered';
};
