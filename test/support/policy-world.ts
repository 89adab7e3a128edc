// A small tenant and callers for tests of the policy step: one server, three pinned tools, a few grants.

import type { Grant } from '#core/grant.ts';
import type { Identity } from '#core/identity.ts';
import type { McpCall } from '#core/mcp-call.ts';
import type { ArgumentConstraint, McpServer, ServerVersion, Tool } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import type { PolicyQuestion } from '#ext-authz/policy/input.ts';

export const NOW_MS = Date.UTC(2026, 6, 28, 12);

export const tool = (name: string, changes: Partial<Tool> = {}): Tool => ({
  name,
  inputSchema: { type: 'object' },
  requiredScopes: [],
  tags: [],
  idempotent: false,
  ...changes,
});

export const VERSION: ServerVersion = {
  version: '1.0.0',
  endpoints: ['https://tracker.example/mcp'],
  transport: 'streamable-http',
  protocolVersions: ['2026-07-28'],
  tools: [
    tool('create_issue'),
    tool('list_issues'),
    tool('purge', { requiredScopes: ['issues.write'], annotations: { destructiveHint: true } }),
  ],
};

export const PRIORITY: ArgumentConstraint = {
  name: 'priority-needs-on-call',
  tool: 'create_issue',
  pointer: '/priority',
  oneOf: ['low', 'medium'],
  exceptGroups: ['on-call'],
};

export const SERVER: McpServer = {
  id: 'tracker',
  displayName: 'Tracker',
  enabled: true,
  allowedHosts: ['tracker.example'],
  upstreamAuth: { mode: 'none', scopes: [], appOnly: 'refuse' },
  bindings: [
    { issuerId: 'contoso', audiences: ['aud-tracker'], requiredScopes: ['tools.use'] },
    { issuerId: 'contoso', audiences: ['aud-other'], requiredScopes: ['other.use'] },
    { issuerId: 'fabrikam', audiences: ['aud-tracker'], requiredScopes: ['partner.use'] },
  ],
  constraints: [PRIORITY],
  refusalStatus: 200,
  maxBodyBytes: 1_000_000,
  activeVersion: '1.0.0',
  versions: [VERSION],
};

export const grant = (id: string, changes: Partial<Grant> = {}): Grant => ({
  id,
  serverId: 'tracker',
  subjects: [{ kind: 'group', id: 'engineering' }],
  tools: ['create_issue', 'purge'],
  prompts: [],
  resources: [],
  ...changes,
});

export const tenant = (grants: readonly Grant[], server: McpServer = SERVER): Tenant => ({
  id: 'default',
  revision: 1,
  displayName: 'Contoso',
  accessContact: 'ada@contoso.example',
  allowedOrigins: [],
  fourEyes: false,
  issuers: [],
  publishers: [],
  killSwitches: [],
  servers: [server],
  grants,
});

export const ALICE: Identity = {
  principal: 'alice',
  kind: 'user',
  issuerId: 'contoso',
  issuer: 'https://login.contoso.example/v2.0',
  audience: 'aud-tracker',
  relation: 'home',
  subject: 'pairwise-alice',
  tid: 'tid-contoso',
  oid: 'oid-alice',
  name: 'Alice',
  groups: ['engineering'],
  roles: [],
  scopes: ['tools.use'],
  app: 'app-cli',
  guest: false,
  assurance: [],
  claimsChallenges: false,
  issuedAt: 0,
  expiresAt: 1,
};

export const toolCall = (name: string, callArguments: McpCall['arguments'] = {}): McpCall => ({
  kind: 'request',
  era: 'stateless',
  protocolVersion: '2026-07-28',
  method: 'tools/call',
  id: 1,
  targets: [{ kind: 'tool', name }],
  arguments: callArguments,
  params: { name, arguments: callArguments },
});

export const listCall = (list: NonNullable<McpCall['list']>): McpCall => ({
  kind: 'request',
  era: 'stateless',
  protocolVersion: '2026-07-28',
  method: list === 'resourceTemplates' ? 'resources/templates/list' : `${list}/list`,
  id: 1,
  targets: [],
  list,
  arguments: {},
  params: {},
});

/** Alice of engineering calls create_issue, which she is granted. */
export const question = (changes: Partial<PolicyQuestion> = {}): PolicyQuestion => ({
  tenant: tenant([grant('engineering-tracker')]),
  server: SERVER,
  version: VERSION,
  identity: ALICE,
  call: toolCall('create_issue'),
  request: { nowMs: NOW_MS, ip: '192.0.2.10' },
  ...changes,
});
