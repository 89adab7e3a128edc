// A change through the registry's API to the real Envoy and back: the real feed, the real xds-server, and the answer
// that says what Envoy made of it. Resources are spoiled on their way, because the registry lets no bad ones in.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { err } from '#core/result.ts';
import type { Answer } from '#test/integration/registry-harness.ts';
import { type ControlPlane, spoilRoutes, startControlPlane } from '#test/support/control-plane.ts';
import { type Gateway, startGateway, until, type XdsServer } from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { RESOURCE_KINDS, TYPE_URLS } from '#xds-server/resource-kind.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';

let plane: ControlPlane;
let gateway: Gateway;
let xds: XdsServer;
let upstream: Upstream;
let tamper = (snapshot: ResourceSnapshot): ResourceSnapshot => snapshot;
/** What Envoys are told now. */
let told: ResourceSnapshot | undefined;

beforeAll(async () => {
  plane = await startControlPlane();
  upstream = await startUpstream('one');
  gateway = await startGateway();
  xds = await plane.startXds('xds-server', {
    address: gateway.xdsAddress,
    settings: gateway.settings,
    tamper: (snapshot) => {
      told = tamper(snapshot);
      return told;
    },
  });
  await plane.furnish('acme', upstream.url);
  await plane.furnish('beta', upstream.url);
  await until('an Envoy is there', () => xds.ads.nodes().some(({ nodeId }) => nodeId !== ''), 30_000);
});

afterEach(() => {
  tamper = (snapshot) => snapshot;
});

afterAll(async () => {
  await plane?.stop();
  await gateway?.stop();
  await upstream?.stop();
});

describe('a change that is waited for', () => {
  it('is answered once the real Envoy has it, and the rollout names the Envoy', async () => {
    const answer = await plane.activate('acme', '1.0.0', '?wait=applied&waitSeconds=30');
    expect([answer.status, answer.headers.get('rollout-state')]).toEqual([200, 'applied']);
    const revision = (await plane.call('GET', 'acme')).body.revision;
    const { body } = await plane.call('GET', `acme/rollout/${revision}`);
    expect(body).toMatchObject({
      state: 'applied',
      consumers: [
        { consumer: 'xds-server', state: 'applied', nodes: [{ nodeId: 'test', state: 'applied' }] },
      ],
    });
  });

  it('is taken back when the real Envoy refuses it; other tenants go on', async () => {
    tamper = (snapshot) => spoilRoutes(snapshot, 'acme');
    const refused = await plane.activate('acme', '2.0.0', '?wait=applied&waitSeconds=30');
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({
      type: 'urn:mcpgw:problem:rollout-rejected',
      rejected: [
        {
          nodeId: 'test',
          resource: 'tenant/acme',
          message: expect.stringContaining('Only unique values for domains are permitted'),
        },
      ],
      compensation: { restored: ['servers/files'], kept: [] },
    });
    expect((await plane.call('GET', 'acme/servers/files')).body.activeVersion).toBe('1.0.0');
    const other = await plane.activate('beta', '1.0.0', '?wait=applied&waitSeconds=30');
    expect([other.status, other.headers.get('rollout-state')]).toEqual([200, 'applied']);
    const revision = (await plane.call('GET', 'beta')).body.revision;
    expect(JSON.stringify((await plane.call('GET', `beta/rollout/${revision}`)).body)).not.toContain('acme');
  });
});

/** Names with their versions, type by type. */
const versionsTold = () =>
  RESOURCE_KINDS.map((kind) => ({
    typeUrl: TYPE_URLS[kind],
    versions: new Map([...(told?.kinds[kind] ?? [])].map(([name, { version }]) => [name, version])),
  }));

describe('a dry run', () => {
  const PATH = 'acme/servers/files';
  const dryRun = async (): Promise<Answer> =>
    plane.call('DELETE', `${PATH}?dryRun=true`, undefined, await plane.tag(PATH));

  it('names exactly the resources of Envoy that then change', async () => {
    const { envoy } = (await dryRun()).body as unknown as {
      envoy: { types: { typeUrl: string; added: string[]; changed: string[]; removed: string[] }[] };
    };
    const before = versionsTold();
    const removed = await plane.call(
      'DELETE',
      `${PATH}?wait=applied&waitSeconds=30`,
      undefined,
      await plane.tag(PATH),
    );
    expect([removed.status, removed.headers.get('rollout-state')]).toEqual([204, 'applied']);
    const effects = versionsTold().map(({ typeUrl, versions }, at) => {
      const old = before[at]?.versions ?? new Map<string, string>();
      const names = [...new Set([...old.keys(), ...versions.keys()])].sort();
      const kept = names.filter((name) => old.has(name) && versions.has(name));
      return {
        typeUrl,
        added: names.filter((name) => !old.has(name)),
        changed: kept.filter((name) => old.get(name) !== versions.get(name)),
        removed: names.filter((name) => !versions.has(name)),
      };
    });
    const isEffect = ({ added, changed, removed: gone }: (typeof effects)[number]): boolean =>
      added.length + changed.length + gone.length > 0;
    expect(envoy.types).toEqual(effects.filter(isEffect));
    expect(envoy.types.flatMap(({ removed: gone }) => gone)).toContain('mcp.acme.files.1.0.0');
  });

  it('is answered without Envoy when no xds-server is there', async () => {
    plane.registry.preview = async () => err('no-xds-server');
    const path = 'beta/servers/files';
    const answer = await plane.call('DELETE', `${path}?dryRun=true`, undefined, await plane.tag(path));
    expect(answer).toMatchObject({
      status: 200,
      body: { dryRun: true, envoy: null, envoyUnknown: { because: 'no-xds-server' } },
    });
    plane.registry.preview = plane.feed.preview;
  });
});
