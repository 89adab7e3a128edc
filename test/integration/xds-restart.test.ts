// xds-server ends and comes back: Envoy serves all the while, claims what it has, and is sent what really changed.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { err, ok } from '#core/result.ts';
import { httpCall } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import type { ResolveUrl } from '#xds-server/endpoint-addresses.ts';

let gateway: Gateway;
let upstream: Upstream;
let xds: XdsServer | undefined;

const world = (sequence: number, ...extra: string[]) =>
  snapshotOf(
    sequence,
    ...['default', ...extra].map((id) => tenantOf(id, { files: { '1.0.0': [upstream.url] } })),
  );
const start = async (resolve?: ResolveUrl): Promise<XdsServer> => {
  const { xdsAddress: address, settings } = gateway;
  xds = await startXdsServer({ address, settings, ...(resolve === undefined ? {} : { resolve }) });
  return xds;
};
const statusOf = async (path: string): Promise<number> =>
  (await httpCall(gateway.origin, path).catch(() => ({ status: 0 }))).status;
const pushes = async (server: XdsServer): Promise<Record<string, number>> =>
  Object.fromEntries(
    [...(await server.metrics.render()).body.matchAll(/xds_responses_total\{kind="(\w+)"[^}]*\} (\d+)/g)].map(
      (match) => [match[1], Number(match[2])],
    ),
  );
const settled = (server: XdsServer, sequence: number) =>
  until('settled', () => server.ads.nodes()[0]?.acknowledgedSequence === sequence, 20_000);

const serves = (path: string, status: number) =>
  until(`${path} answers ${status}`, async () => (await statusOf(path)) === status, 2_000);

beforeEach(async () => {
  upstream = await startUpstream('one');
  gateway = await startGateway();
});
afterEach(async () => {
  await xds?.stop();
  await gateway?.stop();
  await upstream?.stop();
});

describe('xds-server', () => {
  it('may end and come back, and sends only what changed', async () => {
    const first = await start();
    first.update(world(1));
    await settled(first, 1);
    await serves('/mcp/files', 200);
    await first.stop();
    expect(await statusOf('/mcp/files')).toBe(200);
    const second = await start();
    second.update(world(1));
    await settled(second, 1);
    expect(await pushes(second)).toEqual({ cluster: 1, listener: 1, scope: 1 });
    second.update(world(2, 'acme'));
    await settled(second, 2);
    expect(await pushes(second)).toEqual({ cluster: 2, endpoint: 1, listener: 1, scope: 2, route: 1 });
    expect(await statusOf('/t/acme/mcp/files')).toBe(200);
  });

  it('says nothing while it has no snapshot, so that Envoy keeps what it has', async () => {
    const first = await start();
    first.update(world(1));
    await settled(first, 1);
    await serves('/mcp/files', 200);
    await first.stop();
    const second = await start();
    await until('Envoy is back', () => second.ads.nodes().length === 1, 20_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await pushes(second)).toEqual({});
    expect(await statusOf('/mcp/files')).toBe(200);
  });

  it('takes no addresses away when names cannot be resolved after a restart', async () => {
    const first = await start();
    first.update(world(1));
    await settled(first, 1);
    await serves('/mcp/files', 200);
    await first.stop();
    const second = await start(async () => err('the host could not be resolved'));
    second.update(world(2, 'acme'));
    await settled(second, 2);
    expect(await statusOf('/mcp/files')).toBe(200);
    expect(await statusOf('/t/acme/mcp/files')).toBe(503);
  });

  it('follows a name to its new address', async () => {
    let address = '127.0.0.2';
    const server = await start(async (url) => ok({ addresses: [address], port: Number(new URL(url).port) }));
    server.update(world(1));
    await settled(server, 1);
    await serves('/mcp/files', 503);
    address = '127.0.0.1';
    await serves('/mcp/files', 200);
  });
});
