// The real Envoy and our services over mutual TLS: both sides prove who they are, and certificates are renewed while
// both run.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SanPattern } from '#core/san-pattern.ts';
import { writeInternalSecrets } from '#envoy/write-internal-secrets.ts';
import type { Address } from '#runtime/address.ts';
import { httpCall } from '#test/support/http-call.ts';
import {
  idOf,
  patterns,
  tlsAddress,
  type WatchedTls,
  watchPeer,
  writePeer,
} from '#test/support/internal-peers.ts';
import { createTestAuthority, type IssuedCertificate } from '#test/support/test-authority.ts';
import {
  freePort,
  type Gateway,
  NO_NODES_FILE,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';
import type { NodesTable } from '#xds-server/nodes/nodes-table.ts';

const AUTHORITY = createTestAuthority();
const ENDED = { from: new Date(Date.now() - 7_200_000), until: new Date(Date.now() - 3_600_000) };

const EDGES: NodesTable = {
  rules: [{ san: patterns(idOf('edge/*'))[0] as SanPattern, group: 'edge', servers: [{}] }],
  regions: new Map(),
};

let directory: string;
let upstream: Upstream;
let server: WatchedTls;
let gateway: Gateway;
let cleanups: (() => Promise<void> | void)[];

const renewEnvoy = (issued: IssuedCertificate) =>
  writePeer(join(directory, 'envoy'), issued, AUTHORITY.certificate);

/** An Envoy with that certificate; the services let in `edge` and Envoy expects `services`. */
const start = async (envoy: IssuedCertificate, expected = idOf('services')): Promise<XdsServer> => {
  const own = AUTHORITY.issue([idOf('services')]);
  server = await watchPeer(await writePeer(join(directory, 'services'), own, AUTHORITY.certificate));
  const secretFiles = await writeInternalSecrets(directory, await renewEnvoy(envoy));
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()];
  const [xdsServer, extAuthz, extProc, rateLimit] = ports.map((port) => tlsAddress(port, expected)) as [
    Address,
    Address,
    Address,
    Address,
  ];
  const served = ports.map((port) => tlsAddress(port, idOf('edge/*')));
  gateway = await startGateway({
    bootstrap: { secretFiles, services: { xdsServer, extAuthz, extProc, rateLimit } },
    served: { extAuthz: served[1] as Address, extProc: served[2] as Address },
    tls: server,
  });
  const xds = await startXdsServer({
    address: served[0] as Address,
    tls: server,
    nodes: { ...NO_NODES_FILE, current: () => EDGES },
    settings: gateway.settings,
  });
  xds.update(snapshotOf(1, tenantOf('acme', { one: { '1.0.0': [upstream.url] } })));
  cleanups.push(
    () => xds.stop(),
    () => gateway.stop(),
    server.stop,
  );
  return xds;
};

const answers = async (): Promise<number | undefined> =>
  (await httpCall(gateway.origin, '/t/acme/mcp/one').catch(() => undefined))?.status;

const refusals = (): number => server.lines.filter((line) => line.includes('peer refused')).length;

beforeEach(async () => {
  cleanups = [];
  directory = await mkdtemp(join(tmpdir(), 'mtls-'));
  upstream = await startUpstream('one');
});

afterEach(async () => {
  for (const cleanup of cleanups) await cleanup();
  await upstream.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('Envoy over mutual TLS', () => {
  it('is configured, asks about calls and has answers guarded', async () => {
    await start(AUTHORITY.issue([idOf('edge/1')]));
    await until('it serves', async () => (await answers()) === 200);
    gateway.decide(() => ({ version: '1.0.0', guard: 'on' }));
    expect(await answers()).toBe(200);
    expect(gateway.shown()).toBeGreaterThan(0);
    expect(refusals()).toBe(0);
  });

  it('gets nothing with a name that is not on the list', async () => {
    await start(AUTHORITY.issue([idOf('sidecar/1')]));
    await until('it is refused twice', () => refusals() > 1);
    expect(await answers()).toBeUndefined();
    expect(server.lines.join('')).toContain(idOf('sidecar/1'));
  });

  it('takes nothing from a server that has another name than it expects', async () => {
    await start(AUTHORITY.issue([idOf('edge/1')]), idOf('other'));
    await until('it gives up connections', async () =>
      // Envoy may not listen yet.
      /ssl.fail_verify_san: [1-9]/.test(
        await gateway.admin('/stats?filter=cluster.xds-server.ssl').catch(() => ''),
      ),
    );
    expect(await answers()).toBeUndefined();
  });

  it('that comes with a certificate that has ended is refused, and let in once it is renewed on the disk', async () => {
    await start(AUTHORITY.issue([idOf('edge/1')], ENDED));
    await until('it is refused', () => refusals() > 0);
    expect(server.lines.join('')).toContain('CERT_HAS_EXPIRED');
    expect(await answers()).toBeUndefined();
    await renewEnvoy(AUTHORITY.issue([idOf('edge/1')]));
    await until('it serves', async () => (await answers()) === 200, 20_000);
  });

  it('keeps its connections when its own certificate ends while it is connected', async () => {
    const ends = Date.now() + 15_000;
    const xds = await start(AUTHORITY.issue([idOf('edge/1')], { until: new Date(ends) }));
    await until('it serves', async () => (await answers()) === 200, 14_000);
    await until('its certificate has ended', () => Date.now() > ends + 1_000, 20_000);
    expect(await answers()).toBe(200);
    xds.update(snapshotOf(2, tenantOf('acme', { one: { '1.0.0': [upstream.url] } })));
    await until('it is told of changes', () => xds.ads.nodes()[0]?.acknowledgedSequence === 2);
    expect(refusals()).toBe(0);
  }, 60_000);

  it('that falls silent and closes nothing is no node any more within a minute, and one again when it wakes', async () => {
    const xds = await start(AUTHORITY.issue([idOf('edge/1')]));
    await until('it serves', async () => (await answers()) === 200);
    expect(xds.ads.nodes()).toHaveLength(1);
    gateway.signal('SIGSTOP');
    await until('it is given up', () => xds.ads.nodes().length === 0, 60_000);
    gateway.signal('SIGCONT');
    await until('it is back', () => xds.ads.nodes().length === 1, 60_000);
  }, 150_000);

  it('keeps its connections when the certificate of our services ends and is renewed', async () => {
    await start(AUTHORITY.issue([idOf('edge/1')]));
    await until('it serves', async () => (await answers()) === 200);
    const renew = (times = {}) =>
      writePeer(
        join(directory, 'services'),
        AUTHORITY.issue([idOf('services')], times),
        AUTHORITY.certificate,
      );
    const renewals = () => server.lines.filter((line) => line.includes('renewed')).length;
    await renew(ENDED);
    await until('the ended one is shown', () => renewals() === 1);
    expect(await answers()).toBe(200);
    await renew();
    await until('the new one is shown', () => renewals() === 2);
    expect(await answers()).toBe(200);
  });
});
