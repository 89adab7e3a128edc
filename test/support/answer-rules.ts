// Rules for answers as a test wants them, of the tenant and server that test/support/guarded-call.ts calls.

import { responseGuardOf } from '#core/guard-in-force.ts';
import type { ResponseGuard, ServerResponseGuard } from '#core/response-guard.ts';
import type { McpServer, ServerVersion, Tool } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import type { AnswerRules } from '#ext-proc/rules/find-rules.ts';
import { SERVER, TENANT } from '#test/support/guarded-call.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

/** A pinned tool that takes and gives anything. */
export const pinnedTool = (name: string, more: Partial<Tool> = {}): Tool => ({
  name,
  inputSchema: { type: 'object' },
  requiredScopes: [],
  tags: [],
  idempotent: false,
  ...more,
});

/**
 * @param wanted.tools pinned; of them `tool` is the one that was called.
 * @param wanted.guard the server's settings.
 */
export const answerRules = (
  wanted: {
    readonly tools?: readonly Tool[];
    readonly tool?: string;
    readonly tenant?: ResponseGuard;
    readonly guard?: ServerResponseGuard;
  } = {},
): AnswerRules => {
  const sample = sampleTenant(TENANT);
  const [plain] = sample.servers;
  if (plain === undefined) throw new Error('the sample tenant has a server');
  const [first] = plain.versions;
  const version = { ...first, tools: wanted.tools ?? [] } as ServerVersion;
  const server: McpServer = {
    ...plain,
    id: SERVER,
    versions: [version],
    ...(wanted.guard === undefined ? {} : { responseGuard: wanted.guard }),
  };
  const tenant: Tenant = {
    ...sample,
    servers: [server],
    ...(wanted.tenant === undefined ? {} : { responseGuard: wanted.tenant }),
  };
  const tool = version.tools.find(({ name }) => name === wanted.tool);
  return { tenant, server, version, guard: responseGuardOf(tenant, server), tool };
};
