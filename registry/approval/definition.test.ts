// The digest of a definition is what stored approvals name: it must stay what it was, however it is come by.

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { canonicalJson } from '#core/canonical-json.ts';
import type { Tool } from '#core/server.ts';
import { type Definition, definitionDigest } from '#registry/approval/definition.ts';
import { largeTenant } from '#test/support/large-tenant.ts';

const TOOLS = largeTenant('tenant', { servers: 1, tools: 3 }).servers[0]?.versions[0]?.tools ?? [];

const surface = (endpoint: string): Definition['surface'] => ({
  endpoints: [endpoint],
  transport: 'streamable-http',
  protocolVersions: ['2026-07-28'],
});

const said = ({ surface: leading, tools }: Definition): string => {
  const sorted = tools.toSorted((a: Tool, b: Tool) => (a.name < b.name ? -1 : 1));
  return createHash('sha256')
    .update(canonicalJson(['mcpgw-definition-1', leading, sorted]))
    .digest('hex');
};

it('is that of the label, the surface and the tools by name, asked for once or again', () => {
  const definitions = [
    { surface: surface('https://a.example/mcp'), tools: TOOLS },
    { surface: surface('https://b.example/mcp'), tools: TOOLS },
    { surface: surface('https://a.example/mcp'), tools: TOOLS.slice(1) },
    { surface: surface('https://a.example/mcp'), tools: TOOLS.toReversed() },
  ];
  const digests = definitions.map(definitionDigest);
  expect(digests).toEqual(definitions.map(said));
  expect(definitions.map(definitionDigest)).toEqual(digests);
  expect(new Set(digests).size).toBe(3);
});
