// Which issuer is asked about a token nobody else can read: one at most for each server, so that no issuer is shown another
// one's tokens.

import { findIssuer } from '#core/tenant.ts';
import { issuerName, serverName } from '#registry/commands/resources.ts';
import type { Rule } from '#registry/commands/rules/rule.ts';

/** Entra has no introspection, and its callers are told apart by directories, which an answer could only claim. */
const kindRule: Rule = ({ issuers }) =>
  issuers
    .filter((issuer) => issuer.introspection !== undefined && issuer.kind !== 'oidc')
    .map((issuer) => ({
      resource: issuerName(issuer.id),
      pointer: '/introspection',
      message: 'only an issuer of kind oidc is asked about tokens',
    }));

const oneRule: Rule = (tenant) =>
  tenant.servers.flatMap((server) => {
    const asked = server.bindings
      .map(({ issuerId }) => issuerId)
      .filter((issuerId) => findIssuer(tenant, issuerId)?.introspection !== undefined);
    if (asked.length < 2) return [];
    const message = `issuers ${asked.join(', ')} are all asked about tokens: bind one of them, or each would be shown the others' tokens`;
    return [{ resource: serverName(server.id), pointer: '/bindings', message }];
  });

export const introspectionRule: Rule = (tenant) => [...kindRule(tenant), ...oneRule(tenant)];
