// Changes of the registry on the real Envoy: live at once, without a restart, without a stream being cut. Over both
// forms of ADS.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tenant } from '#core/tenant.ts';
import { httpCall, openStream, type Stream } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

/** What a change may take from the registry's word to the first call. */
const LIVE_MS = 1_000;

describe.each(['DELTA_GRPC', 'GRPC'] as const)('over %s', (apiType) => {
  let gateway: Gateway;
  let xds: XdsServer;
  let one: Upstream;
  let two: Upstream;
  let sequence = 0;

  const update = (...tenants: Tenant[]): void => {
    sequence += 1;
    xds.update(snapshotOf(sequence, ...tenants));
  };
  const settled = () =>
    until('settled', () => xds.ads.nodes().every((node) => node.acknowledgedSequence === sequence));
  const statusOf = async (path: string): Promise<number> => (await httpCall(gateway.origin, path)).status;
  const upstreamOf = async (path: string): Promise<string> => {
    const { text } = await httpCall(gateway.origin, path);
    return String(JSON.parse(text)['upstream']);
  };
  const live = (path: string, name: string) =>
    until(`${path} leads to ${name}`, async () => (await upstreamOf(path)) === name, LIVE_MS);

  beforeAll(async () => {
    [one, two] = await Promise.all([startUpstream('one'), startUpstream('two', '/other/path')]);
    gateway = await startGateway({ apiType });
    xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
    update(tenantOf('default', { one: { '1.0.0': [one.url] } }));
    await until('Envoy listens', async () => (await statusOf('/mcp/one').catch(() => 0)) === 200);
  });
  afterAll(async () => {
    await xds?.stop();
    await gateway?.stop();
    await Promise.all([one?.stop(), two?.stop()]);
  });

  it('routes both forms of the default tenant, and rewrites host and path', async () => {
    expect(await upstreamOf('/mcp/one')).toBe('one');
    expect(await upstreamOf('/t/default/mcp/one?x=1')).toBe('one');
    expect(one.seen.at(-1)?.path).toBe('/mcp?x=1');
    expect(one.seen.at(-1)?.headers.host).toBe(new URL(one.url).host);
    expect(gateway.checks.at(-1)).toMatchObject({ tenant: 'default', server: 'one' });
  });

  it('adds a server', async () => {
    update(tenantOf('default', { one: { '1.0.0': [one.url] }, two: { '1.0.0': [two.url] } }));
    await live('/mcp/two', 'two');
    expect(two.seen.at(-1)?.path).toBe('/other/path');
  });

  it('moves a server to another endpoint', async () => {
    update(tenantOf('default', { one: { '1.0.0': [one.url] }, two: { '1.0.0': [one.url] } }));
    await live('/mcp/two', 'one');
    await settled();
  });

  it('takes a server away', async () => {
    update(tenantOf('default', { one: { '1.0.0': [one.url] } }));
    await until('gone', async () => (await statusOf('/mcp/two')) === 404, LIVE_MS);
    await settled();
  });

  it('adds a tenant and takes it away', async () => {
    const home = tenantOf('default', { one: { '1.0.0': [one.url] } });
    update(home, tenantOf('acme', { files: { '1.0.0': [two.url] } }));
    await live('/t/acme/mcp/files', 'two');
    expect(gateway.checks.at(-1)).toMatchObject({ tenant: 'acme', server: 'files' });
    expect(await statusOf('/mcp/files')).toBe(404);
    update(home);
    await until('gone', async () => (await statusOf('/t/acme/mcp/files')) === 404, LIVE_MS);
    await settled();
  });

  it('leads to the version ext-authz names, and nowhere if there is none', async () => {
    update(tenantOf('default', { one: { '1.0.0': [one.url], '2.0.0': [two.url] } }));
    await settled();
    gateway.decide(() => ({ version: '2.0.0' }));
    expect(await upstreamOf('/mcp/one')).toBe('two');
    gateway.decide(() => ({ version: '2.0' }));
    const answer = await httpCall(gateway.origin, '/mcp/one');
    expect(answer.status).toBe(503);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { data: { reason: 'version_unavailable' } } });
    gateway.decide(() => ({ version: '1.0.0' }));
  });

  it('cuts no open stream, whatever changes around it', async () => {
    update(tenantOf('default', { one: { '1.0.0': [one.url] } }));
    await settled();
    const stream: Stream = await openStream(gateway.origin, '/mcp/one');
    const goesOn = async (): Promise<void> => {
      await settled();
      const heard = stream.events();
      await until('the stream goes on', () => stream.events() > heard + 2);
      expect(stream.isOpen()).toBe(true);
    };
    update(tenantOf('default', { one: { '1.0.0': [one.url, one.url.replace('127.0.0.1', 'localhost')] } }));
    await goesOn();
    update(tenantOf('default', { one: { '1.0.0': [two.url] } }));
    await goesOn();
    update(tenantOf('default', { one: { '2.0.0': [two.url] } }), tenantOf('acme', {}));
    await goesOn();
    update(tenantOf('acme', {}));
    await goesOn();
    update();
    await goesOn();
    stream.close();
  });
});
