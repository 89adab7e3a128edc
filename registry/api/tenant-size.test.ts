// Unit tests of tenant-size.ts.

import { describe, expect, it } from 'vitest';
import { tenantBytes } from '#registry/api/tenant-size.ts';
import { largeTenant } from '#test/support/large-tenant.ts';

describe('tenantBytes()', () => {
  it('is the tenant as JSON, but for what joins its parts', () => {
    for (const servers of [0, 3, 30]) {
      const tenant = largeTenant('acme', { servers, tools: 5 });
      const whole = Buffer.byteLength(JSON.stringify({ ...tenant, accessContact: 'ä'.repeat(50) }));
      const size = tenantBytes({ ...tenant, accessContact: 'ä'.repeat(50) });
      expect(Math.abs(whole - size)).toBeLessThan(200 + 20 * servers);
    }
  });

  it('does not measure again what a change has left alone', () => {
    const tenant = largeTenant('acme', { servers: 2, tools: 1 });
    const [first, second] = tenant.servers;
    const [version] = first?.versions ?? [];
    if (first === undefined || second === undefined || version === undefined) throw new Error('there are');
    let reads = 0;
    const watched = Object.defineProperty({ ...version }, 'tools', {
      enumerable: true,
      get: () => {
        reads += 1;
        return version.tools;
      },
    });
    const server = { ...first, versions: [watched] };
    const before = tenantBytes({ ...tenant, servers: [server, second] });
    const after = tenantBytes({ ...tenant, servers: [{ ...server, enabled: false }, second] });
    expect([reads, after - before]).toEqual([1, 'false'.length - 'true'.length]);
  });
});
