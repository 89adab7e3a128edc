// A tenant of any size: servers with tools, their schemas and descriptions, and a grant for each.

import type { McpServer, Tool } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const SAMPLE = sampleTenant('sample');

const tool = (index: number): Tool => ({
  name: `tool_${index}`,
  description: `Does what tool ${index} does. `.repeat(8),
  inputSchema: {
    type: 'object',
    properties: Object.fromEntries(
      Array.from({ length: 6 }, (_, n) => [
        `field_${n}`,
        { type: 'string', description: 'A field.', maxLength: 200 },
      ]),
    ),
    required: ['field_0'],
  },
  requiredScopes: [],
  tags: [],
  idempotent: false,
});

const server = (index: number, tools: number): McpServer => {
  const [sample] = SAMPLE.servers;
  const [version] = sample?.versions ?? [];
  const [binding] = sample?.bindings ?? [];
  if (sample === undefined || version === undefined || binding === undefined)
    throw new Error('the sample has one');
  return {
    ...sample,
    id: `server-${String(index).padStart(4, '0')}`,
    bindings: [{ ...binding, audiences: [`api://server-${index}`] }],
    constraints: [],
    versions: [{ ...version, tools: Array.from({ length: tools }, (_, n) => tool(n)) }],
  };
};

/** Everything a command would accept; sorted as the store gives it. */
export const largeTenant = (
  id: string,
  size: { readonly servers: number; readonly tools: number },
): Tenant => {
  const servers = Array.from({ length: size.servers }, (_, index) => server(index, size.tools));
  const [grant] = SAMPLE.grants;
  if (grant === undefined) throw new Error('the sample has one');
  const grants = servers.map((one) => ({ ...grant, id: `grant-${one.id}`, serverId: one.id }));
  return { ...sampleTenant(id), servers, grants };
};
