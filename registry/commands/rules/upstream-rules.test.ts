// Unit tests of upstream-rules.ts: what is refused, and which field is to blame.

import { describe, expect, it } from 'vitest';
import type { UpstreamSettings } from '#core/upstream-settings.ts';
import { upstreamRule } from '#registry/commands/rules/upstream-rules.ts';
import { sampleTenant } from '#test/support/sample-tenant.ts';

const TENANT = sampleTenant('acme');

const blamed = (upstream: UpstreamSettings): readonly string[] =>
  upstreamRule({ ...TENANT, servers: TENANT.servers.map((server) => ({ ...server, upstream })) }).map(
    ({ resource, pointer }) => {
      expect(resource).toBe('servers/tracker');
      return pointer;
    },
  );

describe('the settings of an upstream', () => {
  it.each<[string, UpstreamSettings]>([
    ['nothing', {}],
    ['a policy', { loadBalancing: { policy: 'least-latency' } }],
    ['a host of the server with a zone', { placement: [{ host: 'tracker.example.com', zone: 'west' }] }],
    ['a check of a path', { health: { kind: 'http', path: '/healthz', intervalMs: 2_000 } }],
    [
      'names, authorities and a certificate',
      {
        tls: {
          subjectAltNames: ['tracker.example.com', 'spiffe://example.com/tracker', '2001:db8::1'],
          caSecret: 'tracker',
          clientCertificateSecret: 'tracker',
        },
      },
    ],
    ['hashing on the caller', { loadBalancing: { policy: 'maglev', hashOn: 'principal' } }],
  ])('may be %s', (_what, settings) => {
    expect(blamed(settings)).toEqual([]);
  });

  it.each<[string, UpstreamSettings, readonly string[]]>([
    ['hashing on nothing', { loadBalancing: { policy: 'ring-hash' } }, ['/upstream/loadBalancing/hashOn']],
    [
      'a key for a policy without use for it',
      { loadBalancing: { policy: 'round-robin', hashOn: { header: 'x-project' } } },
      ['/upstream/loadBalancing/hashOn'],
    ],
    [
      'a host that is not of the server',
      { placement: [{ host: 'tracker.example.com:8443' }] },
      ['/upstream/placement/0/host'],
    ],
    [
      'one host in two places',
      { placement: [{ host: 'tracker.example.com', zone: 'a' }, { host: 'tracker.example.com' }] },
      ['/upstream/placement/0/host', '/upstream/placement/1/host'],
    ],
    [
      'zones for a policy that hashes',
      {
        loadBalancing: { policy: 'maglev', hashOn: 'session' },
        placement: [{ host: 'tracker.example.com', zone: 'west' }],
      },
      ['/upstream/placement/0/zone'],
    ],
    [
      'names that stand for many or for nobody',
      { tls: { subjectAltNames: ['*.example.com', 'spiffe://example.com/*', 'a b', 'ok.example.com'] } },
      [0, 1, 2].map((index) => `/upstream/tls/subjectAltNames/${index}`),
    ],
    ['a ping to a path', { health: { kind: 'ping', path: '/healthz' } }, ['/upstream/health/path']],
    [
      'a check that outlasts its interval',
      { health: { kind: 'ping', intervalMs: 1_000 } },
      ['/upstream/health/timeoutMs'],
    ],
  ])('may not be %s', (_what, settings, pointers) => {
    expect(blamed(settings)).toEqual(pointers);
  });

  it('may not ask for TLS where a version has an endpoint without', () => {
    const [server] = TENANT.servers;
    const versions = (server?.versions ?? []).map((version) => ({
      ...version,
      endpoints: ['http://tracker.example.com/mcp'],
    }));
    const servers = TENANT.servers.map((each) => ({ ...each, versions, upstream: { tls: {} } }));
    expect(upstreamRule({ ...TENANT, servers })).toMatchObject([
      { pointer: '/upstream/tls', message: 'version 1.0.0 has an endpoint without TLS' },
    ]);
  });
});
