// Unit tests of locate.ts: what a path leads to at the gateway's own hosts and at a tenant's.

import { describe, expect, it } from 'vitest';
import type { Tenant } from '#core/tenant.ts';
import { findPlace, locate, rootUrlOf, routePathOf, type World } from '#ext-authz/locate.ts';
import { testServer, testTenant } from '#test/support/token-issuer.ts';

const NOW_MS = 1_000_000;

const tenantOf = (id: string, names: readonly string[] = [], servers = ['tracker', 'clock']): Tenant => ({
  ...testTenant([]),
  id,
  servers: servers.map((server) => ({ ...testServer([]), id: server })),
  ...(names.length === 0 ? {} : { hosts: { names } }),
});

const worldOf = (...tenants: Tenant[]): World => ({
  snapshot: { sequence: 7, tenants: tenants.toSorted((a, b) => (a.id < b.id ? -1 : 1)) },
  freshAtMs: NOW_MS,
  gatewayHost: 'gw.example',
});

const world = worldOf(
  tenantOf('default', [], ['tracker']),
  tenantOf('acme', ['mcp.acme.example', 'xn--bcher-kva.example']),
  tenantOf('beta', ['mcp.beta.example']),
);

type Context = Parameters<typeof locate>[0]['context'];

const located = (authority: string, path: string, context: Context = {}, at = world): string => {
  const place = locate({ authority, path, context }, at, NOW_MS);
  return place.ok ? `${place.value.tenant.id}/${place.value.server.id}` : place.error.reason;
};

const byDefault = { tenantId: 'default', serverId: 'tracker' };
const byAcme = { tenantId: 'acme', serverId: 'clock' };

describe('locate()', () => {
  it.each([
    ['the gateway', 'gw.example', '/mcp/tracker', byDefault, 'default/tracker'],
    ['an address', '127.0.0.1:8080', '/mcp/tracker', byDefault, 'default/tracker'],
    ['nobody’s name', 'unknown.example', '/t/acme/mcp/clock', byAcme, 'acme/clock'],
    ['no host at all', '', '/t/acme/mcp/clock', byAcme, 'acme/clock'],
    [
      'its own, where the default tenant has the server too',
      'mcp.acme.example',
      '/mcp/tracker',
      byDefault,
      'acme/tracker',
    ],
    ['its own, where it has not', 'mcp.acme.example', '/mcp/clock', {}, 'acme/clock'],
    ['its own by the long path', 'mcp.acme.example', '/t/acme/mcp/clock', byAcme, 'acme/clock'],
    ['its own in another writing', 'MCP.ACME.example.:8443', '/mcp/clock', {}, 'acme/clock'],
    ['its own by IDN', 'xn--BCHER-kva.example', '/mcp/clock', {}, 'acme/clock'],
    ['its own, IDN not encoded', 'bücher.example', '/mcp/clock', {}, 'endpoint_unknown'],
    ['another’s', 'mcp.beta.example', '/t/acme/mcp/clock', byAcme, 'endpoint_unknown'],
    [
      'another’s, by the default prefix',
      'mcp.beta.example',
      '/t/default/mcp/tracker',
      byDefault,
      'endpoint_unknown',
    ],
    ['a server it has not', 'mcp.acme.example', '/mcp/reports', {}, 'endpoint_unknown'],
  ])('at %s', (_title, authority, path, context, outcome) => {
    expect(located(authority, path, context)).toBe(outcome);
  });

  it.each([
    ['of another server', '/mcp/clock', byDefault],
    ['of another tenant', '/mcp/clock', { tenantId: 'beta', serverId: 'clock' }],
    [
      'of the default tenant, for a long path',
      '/t/acme/mcp/clock',
      { tenantId: 'default', serverId: 'clock' },
    ],
    ['of nothing, for a long path', '/t/acme/mcp/clock', {}],
    ['of a tenant alone', '/mcp/clock', { tenantId: 'default' }],
    ['of a server alone', '/mcp/clock', { serverId: 'clock' }],
  ])('refuses a route %s at a tenant’s host', (_title, path, context) => {
    expect(located('mcp.acme.example', path, context)).toBe('endpoint_unknown');
  });

  it('refuses a route of nothing at the gateway’s own host', () => {
    expect(located('gw.example', '/mcp/tracker', {})).toBe('endpoint_unknown');
  });

  it('leaves the gateway its own name, whoever it was given to', () => {
    const robbed = worldOf(tenantOf('default', [], ['tracker']), tenantOf('acme', ['gw.example']));
    expect(located('gw.example', '/mcp/tracker', byDefault, robbed)).toBe('default/tracker');
  });

  it('leads to nobody by a name that two tenants claim', () => {
    const torn = worldOf(
      tenantOf('default', [], ['tracker']),
      tenantOf('acme', ['x.example']),
      tenantOf('beta', ['x.example']),
    );
    expect(located('x.example', '/mcp/tracker', byDefault, torn)).toBe('endpoint_unknown');
    expect(located('x.example', '/t/acme/mcp/clock', byAcme, torn)).toBe('endpoint_unknown');
  });
});

describe('a place at a tenant’s own host', () => {
  const placeAt = (authority: string, path: string) => {
    const place = findPlace(world, { authority, path });
    if (place === undefined) throw new Error('no place');
    return place;
  };

  it('has its URLs there, by scheme and port of the deployment', () => {
    const place = placeAt('mcp.acme.example:9', '/mcp/clock');
    expect(rootUrlOf(place, 'https://gw.example:8443/')).toBe('https://mcp.acme.example:8443');
    expect(rootUrlOf(placeAt('other.example', '/t/acme/mcp/clock'), 'https://gw.example')).toBe(
      'https://gw.example',
    );
  });

  it('is routed by the long path, and by none where the path is right as it is', () => {
    expect(routePathOf(placeAt('mcp.acme.example', '/mcp/clock'))).toBe('/t/acme/mcp/clock');
    expect(routePathOf(placeAt('mcp.acme.example', '/t/acme/mcp/clock'))).toBeUndefined();
    expect(routePathOf(placeAt('gw.example', '/mcp/tracker'))).toBeUndefined();
  });
});
