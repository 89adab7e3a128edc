// Unit tests of consistency.ts: each contradiction is found, and a translation of ours holds none.

import { describe, expect, it } from 'vitest';
import { tenantOf } from '#test/support/xds-world.ts';
import { findInconsistency } from '#xds-server/snapshot/consistency.ts';
import { type TenantTranslation, translateTenant } from '#xds-server/translate/tenant.ts';

const SETTINGS = {
  listenAddress: '127.0.0.1',
  port: 8080,
  trustedHops: 0,
  accessLogOnStdout: false,
  upstreamCaFile: '/ca.crt',
};

const translation = (): TenantTranslation => {
  const tenant = tenantOf('default', { files: { '1': ['https://a.example/'], '2': ['https://a.example/'] } });
  const translated = translateTenant(tenant, SETTINGS);
  if (!translated.ok) throw new Error(translated.error);
  return translated.value;
};

describe('findInconsistency()', () => {
  it('finds nothing in what we translate', () => {
    expect(findInconsistency(translation())).toBeUndefined();
  });

  it('finds a route to a cluster that is not there', () => {
    const { clusters, ...rest } = translation();
    expect(findInconsistency({ ...rest, clusters: clusters.slice(1) })).toContain('mcp.default.files.1');
  });

  it('finds a cluster without endpoints', () => {
    expect(findInconsistency({ ...translation(), upstreams: new Map() })).toContain('no endpoints');
  });

  it('finds one name used twice', () => {
    const { clusters, scopes, ...rest } = translation();
    const [cluster] = clusters;
    const [scope] = scopes;
    if (cluster === undefined || scope === undefined) throw new Error('nothing translated');
    expect(findInconsistency({ ...rest, scopes, clusters: [...clusters, cluster] })).toContain(
      'two resources',
    );
    expect(findInconsistency({ ...rest, clusters, scopes: [...scopes, scope] })).toContain('two resources');
  });

  it('finds a scope that leads to the routes of another tenant', () => {
    const { scopes, ...rest } = translation();
    const stray = scopes.map((scope) => ({ ...scope, route_configuration_name: 'tenant/other' }));
    expect(findInconsistency({ ...rest, scopes: stray })).toContain('other routes');
  });
});
