// Weights, zones and priorities on the real Envoy: where calls go while all is well, and where when replicas die.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Placement, UpstreamSettings } from '#core/upstream-settings.ts';
import { answeredBy, spread } from '#test/support/xds-calls.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf, withUpstreams } from '#test/support/xds-world.ts';

const HEALTH = { kind: 'ping', intervalMs: 1_000, unhealthyThreshold: 1, healthyThreshold: 1 } as const;

let gateway: Gateway;
let xds: XdsServer;
let upstreams: Upstream[];

const hostOf = (index: number): string => new URL(upstreams[index]?.url ?? '').host;
const down = { status: 503, headers: {} };

beforeAll(async () => {
  upstreams = await Promise.all(['one', 'two', 'three'].map((name) => startUpstream(name)));
  gateway = await startGateway({ bootstrap: { zone: 'west' } });
  xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
  const placed = (...parts: Omit<Placement, 'host'>[]): UpstreamSettings => ({
    placement: parts.map((part, index) => ({ host: hostOf(index), ...part })),
    health: HEALTH,
  });
  const settings: Readonly<Record<string, UpstreamSettings>> = {
    weighed: {
      ...placed({ weight: 1 }, { weight: 3 }, { weight: 6 }),
      loadBalancing: { policy: 'round-robin' },
    },
    zoned: placed({ zone: 'west' }, { zone: 'east' }, { zone: 'east' }),
    foreign: placed({ zone: 'north' }, { zone: 'east' }, { zone: 'east' }),
    reserve: placed({}, { priority: 3 }, { priority: 3 }),
  };
  const urls = upstreams.map(({ url }) => url);
  const servers = Object.fromEntries(Object.keys(settings).map((id) => [id, { '1.0.0': urls }]));
  xds.update(snapshotOf(1, withUpstreams(tenantOf('default', servers), settings)));
  await until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === 1);
  await until('all in service', async () => {
    const { one = 0, two = 0, three = 0 } = await spread(gateway, 'weighed', 10);
    return one > 0 && two > 0 && three > 0;
  });
});
beforeEach(async () => {
  for (const upstream of upstreams) upstream.answerWith(undefined);
  await until('the first is back', async () => (await answeredBy(gateway, 'reserve')) === 'one');
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await Promise.all(upstreams.map((upstream) => upstream.stop()));
});

describe('placement', () => {
  it('shares calls out by weight', async () => {
    const { one = 0, two = 0, three = 0 } = await spread(gateway, 'weighed', 100);
    expect([one, two, three]).toEqual([
      expect.closeTo(10, -0.7),
      expect.closeTo(30, -0.7),
      expect.closeTo(60, -0.7),
    ]);
  });

  it('keeps calls in the zone of the Envoy', async () => {
    expect(await spread(gateway, 'zoned', 40)).toEqual({ one: 40 });
  });

  it('goes to the other zones once nobody in this one is healthy, and comes back', async () => {
    upstreams[0]?.answerWith(down);
    await until('elsewhere', async () => !['one', '503'].includes(await answeredBy(gateway, 'zoned')));
    const { one = 0, two = 0, three = 0 } = await spread(gateway, 'zoned', 40);
    expect(one).toBe(0);
    expect(Math.min(two, three)).toBeGreaterThan(0);
    upstreams[0]?.answerWith(undefined);
    await until('back', async () => (await spread(gateway, 'zoned', 10))['one'] === 10);
  });

  it('takes all zones alike where none is the own', async () => {
    expect(Object.keys(await spread(gateway, 'foreign', 60)).sort()).toEqual(['one', 'three', 'two']);
  });

  it('leaves lower priorities alone until they are needed', async () => {
    expect(await spread(gateway, 'reserve', 40)).toEqual({ one: 40 });
    upstreams[0]?.answerWith(down);
    await until('the reserve serves', async () =>
      ['two', 'three'].includes(await answeredBy(gateway, 'reserve')),
    );
    const { two = 0, three = 0 } = await spread(gateway, 'reserve', 40);
    expect(two + three).toBe(40);
  });
});
