// Unit tests of pack-routes.ts: put together, the parts are what the whole would be.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packMessage } from '#protos/pack.ts';
import { findMessageType } from '#protos/root.ts';
import { serverOf } from '#test/support/xds-world.ts';
import { packAround, packRoutes } from '#xds-server/snapshot/pack-routes.ts';
import { buildServerRoutes, buildTenantFrame, buildTenantRoutes } from '#xds-server/translate/routes.ts';

const read = (bytes: Buffer): object => {
  const type = findMessageType('envoy.config.route.v3.RouteConfiguration');
  return type.toObject(type.decode(bytes), { bytes: String });
};

const routes = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.nat(3)), { selector: ([id]) => id })
  .map((servers) =>
    servers.map(([id, count]) =>
      buildServerRoutes('default', {
        server: serverOf(id, {}),
        versions: Array.from({ length: count }, (_, n) => ({ version: `${n}.0.0`, upstreamPath: '/mcp' })),
      }),
    ),
  );

describe('packAround()', () => {
  it('says what packing everything at once says', () => {
    fc.assert(
      fc.property(routes, (servers) => {
        const whole = packMessage(buildTenantRoutes('default', servers.flat()));
        const parts = packAround(buildTenantFrame('default'), servers.map(packRoutes));
        expect(parts.type_url).toBe(whole.type_url);
        expect(read(parts.value)).toEqual(read(whole.value));
      }),
      { numRuns: 30 },
    );
  });

  it('refuses a route with a field that Envoy does not know', () => {
    expect(() => packRoutes([{ match: { prefix: '/' }, rout: {} }])).toThrow(/rout/);
  });
});
