// The tenant that speed is measured with: one server of 1,000 tools, 50 groups that may each use a hundred of them, limits
// on arguments. Large enough that whatever walks all of it would show. Pure.

import type { Grant } from '#core/grant.ts';
import type { TrustedIssuer } from '#core/issuer.ts';
import type { ArgumentConstraint, McpServer, Tool } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import type { TenantPolicy } from '#core/tenant-policy.ts';

export const SERVER = 'tracker';
export const VERSION = '1.0.0';
export const ISSUER = 'https://idp.example';
export const AUDIENCE = 'api://tracker';
export const SCOPE = 'tools.use';
export const TOOLS = 1_000;
export const GROUPS = 50;

/** Tools a group is granted. Neighbouring groups share most of theirs, as departments do. */
const TOOLS_OF_GROUP = 100;

/** Every tenth tool has a limit on an argument. */
const LIMITED = 10;

export const toolName = (number: number): string => `tool-${String(number % TOOLS).padStart(4, '0')}`;
export const groupName = (number: number): string => `group-${String(number % GROUPS).padStart(2, '0')}`;

/** Numbers of the tools a group is granted. */
export const toolsOfGroup = (group: number): readonly number[] =>
  Array.from({ length: TOOLS_OF_GROUP }, (_, index) => (((group % GROUPS) * TOOLS) / GROUPS + index) % TOOLS);

const text = { type: 'string', maxLength: 2_000 };

const tool = (_: unknown, number: number): Tool => ({
  name: toolName(number),
  description: `Does what tool ${number} of a tracker does.`,
  inputSchema: {
    type: 'object',
    properties: {
      title: text,
      body: text,
      priority: { type: 'string' },
      labels: { type: 'array', items: text },
    },
    required: ['title'],
  },
  annotations: { readOnlyHint: number % 2 === 0 },
  requiredScopes: [],
  tags: [],
  idempotent: false,
});

const limit = (_: unknown, index: number): ArgumentConstraint => ({
  name: `priority-of-${index * LIMITED}`,
  tool: toolName(index * LIMITED),
  pointer: '/priority',
  oneOf: ['low', 'medium', 'high'],
  exceptGroups: [],
});

const grant = (_: unknown, group: number): Grant => ({
  id: `grant-${group}`,
  serverId: SERVER,
  subjects: [{ kind: 'group', id: groupName(group) }],
  tools: toolsOfGroup(group).map(toolName),
  prompts: [],
  resources: [],
});

const issuer = (jwksUri: string): TrustedIssuer => ({
  id: 'home',
  kind: 'oidc',
  issuer: ISSUER,
  jwksUri,
  algorithms: ['ES256'],
  relation: 'home',
  directoryTenants: [],
  claims: { groups: 'groups', roles: 'roles', scopes: 'scope', name: 'name' },
  clockToleranceSeconds: 30,
  enabled: true,
});

const server = (endpoint: string): McpServer => ({
  id: SERVER,
  displayName: 'Tracker',
  enabled: true,
  allowedHosts: [new URL(endpoint).host],
  upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
  bindings: [{ issuerId: 'home', audiences: [AUDIENCE], requiredScopes: [SCOPE] }],
  constraints: Array.from({ length: TOOLS / LIMITED }, limit),
  refusalStatus: 200,
  maxBodyBytes: 65_536,
  activeVersion: VERSION,
  versions: [
    {
      version: VERSION,
      endpoints: [endpoint],
      transport: 'streamable-http',
      protocolVersions: ['2025-11-25'],
      tools: Array.from({ length: TOOLS }, tool),
    },
  ],
});

/**
 * @param places.jwksUri where the keys of callers are; `endpoint`: URL of the server, which ends in `/mcp`.
 * @param policy a policy of the tenant's own beside the platform's.
 */
export const benchTenant = (
  id: string,
  places: { readonly jwksUri: string; readonly endpoint: string },
  policy?: TenantPolicy,
): Tenant => ({
  id,
  revision: 1,
  displayName: 'Acme',
  accessContact: 'admin@acme.example',
  allowedOrigins: [],
  fourEyes: false,
  issuers: [issuer(places.jwksUri)],
  servers: [server(places.endpoint)],
  grants: Array.from({ length: GROUPS }, grant),
  publishers: [],
  killSwitches: [],
  ...(policy === undefined ? {} : { policy }),
});
