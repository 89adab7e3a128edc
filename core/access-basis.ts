// What a connection was let in by that is judged once and then lives on: a WebSocket, whose messages nobody sees. ext-authz
// writes the digest of it into the orders, ext-proc compares it with each new snapshot and ends the connection where it
// no longer fits; the client comes back and is judged anew.

import { createHash } from 'node:crypto';
import { canonicalJson } from '#core/canonical-json.ts';
import { findVersion, type McpServer } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';

// A tenant in a snapshot is never edited, so its digests live exactly as long as the tenant they were made from.
const known = new WeakMap<Tenant, Map<string, string>>();

const digest = (tenant: Tenant, server: McpServer, version: string): string => {
  const { constraints, bindings, upstreamAuth } = server;
  const grants = tenant.grants.filter(({ serverId }) => serverId === server.id);
  const { issuers } = tenant;
  const basis = {
    pinned: findVersion(server, version),
    constraints,
    bindings,
    upstreamAuth,
    grants,
    issuers,
  };
  return createHash('sha256').update(canonicalJson(basis)).digest('base64url');
};

/** Digest of everything of the registry's that a WebSocket to this version of a server is let in by, switches excepted. */
export const accessBasis = (tenant: Tenant, server: McpServer, version: string): string => {
  const digests = known.get(tenant) ?? new Map<string, string>();
  known.set(tenant, digests);
  const key = JSON.stringify([server.id, version]);
  const found = digests.get(key) ?? digest(tenant, server, version);
  digests.set(key, found);
  return found;
};
