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
  ])('may not be %s', (_what, settings, pointers) => {
    expect(blamed(settings)).toEqual(pointers);
  });
});
