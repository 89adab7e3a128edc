// Which sights concern nobody any more: what was removed, withdrawn, or lies at an address that is configured no more.

import { describe, expect, it } from 'vitest';
import type { McpServer, ServerVersion } from '#core/server.ts';
import type { Tenant } from '#core/tenant.ts';
import { isSightGone } from '#registry/drift/gone.ts';
import { SERVER, tenant, VERSION } from '#test/support/policy-world.ts';

const withVersion = (change: Partial<ServerVersion>, server: Partial<McpServer> = {}): Tenant => ({
  ...tenant([]),
  servers: [{ ...SERVER, ...server, versions: [{ ...VERSION, ...change }] }],
});

const isGone = (of: Tenant | undefined, change: object = {}): boolean =>
  isSightGone(
    of,
    { serverId: SERVER.id },
    { version: VERSION.version, tool: 'purge', replica: '10.0.0.1:443', ...change },
  );

describe('what was seen of a replica', () => {
  it('concerns somebody while its version and its tool are there, served or not', () => {
    expect(isGone(withVersion({}))).toBe(false);
    expect(isGone(withVersion({}, { activeVersion: '' }))).toBe(false);
  });

  it.each([
    ['tenant', undefined, {}],
    ['server', { ...tenant([]), servers: [] }, {}],
    ['version', withVersion({}), { version: '0.0.1' }],
    ['tool', withVersion({}), { tool: 'another' }],
  ] as const)('is gone with its %s', (_what, of, change) => {
    expect(isGone(of, change)).toBe(true);
  });

  it('is gone when its version is withdrawn, which ends the sessions on it', () => {
    const traffic = { weights: [], tools: [], testers: [], steps: [], withdrawn: [VERSION.version] };
    expect(isGone(withVersion({}, { traffic }))).toBe(true);
  });

  it.each([
    ['http://10.0.0.1:8080/mcp', '10.0.0.1:8080', false],
    ['http://10.0.0.1:8080/mcp', '10.0.0.2:8080', true],
    ['http://10.0.0.1:8080/mcp', '10.0.0.1:8081', true],
    ['https://10.0.0.1/mcp', '10.0.0.1:443', false],
    ['http://10.0.0.1/mcp', '10.0.0.1:80', false],
    ['http://[2001:db8::1]:8080/mcp', '[2001:db8::1]:8080', false],
    ['http://[2001:db8::1]:8080/mcp', '[2001:db8::2]:8080', true],
  ])('at %s is gone from %s: %s', (endpoint, replica, gone) => {
    expect(isGone(withVersion({ endpoints: [endpoint] }), { replica })).toBe(gone);
  });

  it('is not judged by its address where an endpoint goes by a name', () => {
    const endpoints = ['http://10.0.0.1:8080/mcp', 'https://tracker.example/mcp'];
    expect(isGone(withVersion({ endpoints }), { replica: '10.9.9.9:1' })).toBe(false);
  });
});
