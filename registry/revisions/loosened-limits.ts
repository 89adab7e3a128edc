// What stands between a caller and a tool beside grants, and is weaker after a change: limits on arguments, required
// scopes, accepted audiences, hosts, origins, the tenant's policy, the response guard. Where weaker or stronger cannot be told, it is named
// all the same.

import { isSameJson } from '#core/same-json.ts';
import { servedVersions } from '#core/served-versions.ts';
import type { IssuerBinding, McpServer } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import { keyThumbprint, type RemotePolicy } from '#core/tenant-policy.ts';
import { POLICY_NAME, type ResourceName, serverName } from '#registry/commands/resources.ts';
import { loosenedServerGuard, loosenedTenantGuard } from '#registry/revisions/loosened-guard.ts';

export type LoosenedLimit = { readonly resource: ResourceName; readonly message: string };

const missingFrom = (names: readonly string[], others: readonly string[]): readonly string[] =>
  names.filter((name) => !others.includes(name));

const loosenedConstraints = (before: McpServer, after: McpServer): readonly string[] =>
  before.constraints.flatMap((constraint) => {
    const kept = after.constraints.find(({ name }) => name === constraint.name);
    if (isSameJson(kept, constraint)) return [];
    return [`constraint ${constraint.name} is ${kept === undefined ? 'dropped' : 'changed'}`];
  });

const loosenedBinding = (before: IssuerBinding, after: IssuerBinding): readonly string[] => [
  ...missingFrom(before.requiredScopes, after.requiredScopes).map(
    (scope) => `scope ${scope} is no longer required of callers of issuer ${before.issuerId}`,
  ),
  ...missingFrom(after.audiences, before.audiences).map(
    (audience) => `audience ${audience} is accepted from issuer ${before.issuerId}`,
  ),
  ...(before.dpop === 'required' && after.dpop !== 'required'
    ? [`tokens of issuer ${before.issuerId} need not be bound to a key any more`]
    : []),
];

const loosenedBindings = (before: McpServer, after: McpServer): readonly string[] =>
  before.bindings.flatMap((binding) => {
    const kept = after.bindings.find(({ issuerId }) => issuerId === binding.issuerId);
    return kept === undefined ? [] : loosenedBinding(binding, kept);
  });

/** Scopes that every version being served asks for, by tool: without them nobody gets it, whichever version he is sent to. */
const requiredByTool = (server: McpServer): ReadonlyMap<string, readonly string[]> => {
  const required = new Map<string, readonly string[]>();
  for (const { name, requiredScopes } of servedVersions(server).flatMap(({ tools }) => tools)) {
    const known = required.get(name);
    required.set(
      name,
      known === undefined ? requiredScopes : known.filter((s) => requiredScopes.includes(s)),
    );
  }
  return required;
};

const loosenedTools = (before: McpServer, after: McpServer): readonly string[] => {
  const served = requiredByTool(after);
  return [...requiredByTool(before)].flatMap(([tool, scopes]) =>
    missingFrom(scopes, served.get(tool) ?? scopes).map(
      (scope) => `tool ${tool} no longer requires scope ${scope}`,
    ),
  );
};

const loosenedServer = (before: McpServer, after: McpServer): readonly string[] => [
  ...loosenedConstraints(before, after),
  ...loosenedBindings(before, after),
  ...loosenedTools(before, after),
  ...missingFrom(after.allowedHosts, before.allowedHosts).map((host) => `host ${host} is allowed`),
  ...(isSameJson(before.upstreamAuth, after.upstreamAuth) ? [] : ['upstreamAuth is changed']),
  ...(isSameJson(before.upstream?.tls, after.upstream?.tls) ? [] : ['upstream.tls is changed']),
];

const loosenedSettings = (before: Tenant, after: Tenant): readonly string[] => {
  const raised = (['maxStaleSeconds', 'maxRevocationStaleSeconds'] as const).filter(
    (bound) => (after[bound] ?? Infinity) > (before[bound] ?? Infinity),
  );
  return [
    ...missingFrom(after.allowedOrigins, before.allowedOrigins).map(
      (origin) => `origin ${origin} is allowed`,
    ),
    ...raised.map((bound) => `${bound} is raised`),
    ...(before.requirePublisherCertificate === true && after.requirePublisherCertificate !== true
      ? ['publishers need no certificate any more']
      : []),
  ];
};

/** What it answers is its own affair: of another one nobody can tell, and one that is gone narrows nothing any more. */
const loosenedRemote = (
  old: RemotePolicy | undefined,
  current: RemotePolicy | undefined,
): readonly string[] => {
  if (old === undefined || old.url === current?.url) return [];
  return [`the remote policy is ${current === undefined ? 'dropped' : 'another'}`];
};

/** A bundle only narrows, so a first one loosens nothing; of another one nobody can tell. */
const loosenedPolicy = ({ policy: old }: Tenant, { policy: current }: Tenant): readonly string[] => {
  const isOther = old?.bundle !== undefined && old.bundle.digest !== current?.bundle?.digest;
  const loosened = [
    ...(isOther ? [`the bundle is ${current?.bundle === undefined ? 'dropped' : 'another'}`] : []),
    ...loosenedRemote(old?.remote, current?.remote),
  ];
  if (old?.requireSignature !== true) return loosened;
  if (current?.requireSignature !== true) return [...loosened, 'a bundle needs no signature any more'];
  const known = new Set(old.keys.map(({ jwk }) => keyThumbprint(jwk)));
  const signers = current.keys.filter(({ jwk }) => !known.has(keyThumbprint(jwk)));
  return [...loosened, ...signers.map(({ kid }) => `key ${kid} may sign bundles`)];
};

/** Every limit that is gone or may be weaker in `after`. A server that is new has none that it had before. */
export const loosenedLimits = (before: Tenant, after: Tenant): readonly LoosenedLimit[] => [
  ...[...loosenedSettings(before, after), ...loosenedTenantGuard(before, after)].map((message) => ({
    resource: 'tenant',
    message,
  })),
  ...loosenedPolicy(before, after).map((message) => ({ resource: POLICY_NAME, message })),
  ...before.servers.flatMap((server) => {
    const kept = findServer(after, server.id);
    const messages =
      kept === undefined
        ? []
        : [...loosenedServer(server, kept), ...loosenedServerGuard(after, server, kept)];
    return messages.map((message) => ({ resource: serverName(server.id), message }));
  }),
];
