// Unit tests of consistency.ts: each contradiction is found, and a translation of ours holds none.

import { describe, expect, it } from 'vitest';
import { SETTINGS, serverOf } from '#test/support/xds-world.ts';
import { findInconsistency, findRepeated } from '#xds-server/snapshot/consistency.ts';
import { type ServerTranslation, translateServer } from '#xds-server/translate/server.ts';

const ROUTES = 'tenant/default';

const translation = (): ServerTranslation => {
  const server = serverOf('files', { '1': ['https://a.example/'], '2': ['https://a.example/'] });
  const translated = translateServer('default', server, SETTINGS);
  if (!translated.ok) throw new Error(translated.error);
  return translated.value;
};

describe('findInconsistency()', () => {
  it('finds nothing in what we translate', () => {
    expect(translation().scopes).toHaveLength(1);
    expect(findInconsistency(translation(), ROUTES)).toBeUndefined();
  });

  it('finds a route to a cluster that is not there', () => {
    const { clusters, ...rest } = translation();
    expect(findInconsistency({ ...rest, clusters: clusters.slice(1) }, ROUTES)).toContain(
      'mcp.default.files.1',
    );
  });

  it('finds a cluster without endpoints', () => {
    expect(findInconsistency({ ...translation(), upstreams: new Map() }, ROUTES)).toContain('no endpoints');
  });

  it('finds a scope that leads to the routes of another tenant', () => {
    const { scopes, ...rest } = translation();
    const stray = scopes.map((scope) => ({ ...scope, route_configuration_name: 'tenant/other' }));
    expect(findInconsistency({ ...rest, scopes: stray }, ROUTES)).toContain('other routes');
  });
});

describe('findRepeated()', () => {
  it('finds one name used twice', () => {
    expect(findRepeated(['a', 'b', 'a'])).toContain('named a');
    expect(findRepeated(['a', 'b'])).toBeUndefined();
  });
});
