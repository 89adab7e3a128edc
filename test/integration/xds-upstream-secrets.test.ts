// Mutual TLS to upstreams on the real Envoy: who must prove what to whom, and certificates that come, are renewed, end
// and are missing while calls go on. Over both forms of ADS.

import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UpstreamTls } from '#core/upstream-settings.ts';
import { httpCall, openStream } from '#test/support/http-call.ts';
import { createTestAuthority, type IssuedCertificate } from '#test/support/test-authority.ts';
import { startTlsUpstream, type TlsUpstream } from '#test/support/tls-upstream.ts';
import { answeredBy, spread } from '#test/support/xds-calls.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { snapshotOf, tenantOf, withUpstreams } from '#test/support/xds-world.ts';

const serverCa = createTestAuthority('servers');
const otherCa = createTestAuthority('others');
const clientCa = createTestAuthority('gateways');
const HOST = 'up.example';

const put = async (file: string, text: string): Promise<void> => {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
};

describe.each(['DELTA_GRPC', 'GRPC'] as const)('over %s', (apiType) => {
  let directory: string;
  let gateway: Gateway;
  let xds: XdsServer;
  let mutual: TlsUpstream;
  let oneWay: TlsUpstream;
  let sequence = 0;

  const putCertificate = async (name: string, { certificate, key }: IssuedCertificate): Promise<void> => {
    await put(join(directory, `${name}.key`), key);
    await put(join(directory, `${name}.crt`), certificate);
  };

  const serve = async (servers: Readonly<Record<string, readonly [TlsUpstream, UpstreamTls]>>) => {
    sequence += 1;
    const entries = Object.entries(servers);
    const tenant = tenantOf(
      'default',
      Object.fromEntries(
        entries.map(([id, [{ port }]]) => [id, { '1.0.0': [`https://${HOST}:${port}/mcp`] }]),
      ),
    );
    // Connections that are open go on with what they were opened with, so they must end for others to begin.
    const connections = { maxRequestsPerConnection: 3 };
    const settings = Object.fromEntries(entries.map(([id, [, tls]]) => [id, { tls, connections }]));
    xds.update(snapshotOf(sequence, withUpstreams(tenant, settings)));
    await until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === sequence);
  };
  const servedAs = (server: string, outcome: string) =>
    until(`${server}: ${outcome}`, async () => (await answeredBy(gateway, server)) === outcome);

  const BELIEVED: UpstreamTls = { caSecret: 'servers', clientCertificateSecret: 'gateway' };
  const standing = (): Readonly<Record<string, readonly [TlsUpstream, UpstreamTls]>> => ({
    mutual: [mutual, BELIEVED],
    named: [oneWay, { caSecret: 'servers', subjectAltNames: ['spiffe://up/one', 'else.example'] }],
    misnamed: [oneWay, { caSecret: 'servers', subjectAltNames: ['spiffe://up/two'] }],
    disbelieved: [oneWay, { caSecret: 'others' }],
    anonymous: [mutual, { caSecret: 'servers' }],
  });

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'secrets-'));
    await put(join(directory, 'servers.ca'), serverCa.certificate);
    await put(join(directory, 'others.ca'), otherCa.certificate);
    await putCertificate('gateway', clientCa.issue(['spiffe://gateway/1']));
    mutual = await startTlsUpstream(serverCa.issue([HOST]), clientCa.certificate);
    oneWay = await startTlsUpstream(serverCa.issue([HOST, 'spiffe://up/one']));
    gateway = await startGateway({ apiType });
    const { xdsAddress: address, settings } = gateway;
    xds = await startXdsServer({ address, settings, secretsDirectory: directory });
    await serve(standing());
    await servedAs('named', 'tls');
  });
  afterAll(async () => {
    await xds?.stop();
    await gateway?.stop();
    await Promise.all([mutual?.stop(), oneWay?.stop()]);
    await rm(directory, { recursive: true, force: true });
  });

  it('shows its certificate to a server that asks for it', async () => {
    await servedAs('mutual', 'tls');
    expect(mutual.callers.at(-1)).toBe('URI:spiffe://gateway/1');
  });

  it.each([
    ['misnamed', 'a server that proves another name'],
    ['disbelieved', 'a server of another authority'],
    ['anonymous', 'a server that wants to know who is calling, without a certificate'],
  ])('%s: sends no call to %s', async (server) => {
    const before = mutual.callers.length + oneWay.callers.length;
    expect(await answeredBy(gateway, server)).toBe('503');
    expect(mutual.callers.length + oneWay.callers.length).toBe(before);
  });

  it('takes up a renewed certificate while calls run: none fails, no stream is cut', async () => {
    const stream = await openStream(gateway.origin, '/mcp/mutual');
    const clusters = xds.served()?.kinds.cluster;
    await putCertificate('gateway', clientCa.issue(['spiffe://gateway/2']));
    const counts: Record<string, number> = {};
    await until('the new one is shown', async () => {
      const name = await answeredBy(gateway, 'mutual');
      counts[name] = (counts[name] ?? 0) + 1;
      return mutual.callers.at(-1) === 'URI:spiffe://gateway/2';
    });
    expect(Object.keys(counts)).toEqual(['tls']);
    const heard = stream.events();
    await until('the stream goes on', () => stream.events() > heard + 5);
    expect(stream.isOpen()).toBe(true);
    stream.close();
    expect(xds.served()?.kinds.cluster).toEqual(clusters);
  });

  it('goes on with the last good one while the files do not fit each other', async () => {
    const next = clientCa.issue(['spiffe://gateway/3']);
    const warned = async () => (await xds.metrics.render()).body;
    await put(join(directory, 'gateway.key'), next.key);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await spread(gateway, 'mutual', 5)).toEqual({ tls: 5 });
    expect(await warned()).toContain('mcpgw_upstream_secrets_missing{service="xds-server"} 0');
    await put(join(directory, 'gateway.crt'), next.certificate);
    await until('taken up', async () => {
      await answeredBy(gateway, 'mutual');
      return mutual.callers.at(-1) === 'URI:spiffe://gateway/3';
    });
  });

  it('sends no call to a server whose certificate has ended, until it has another', async () => {
    const ended = { from: new Date(Date.now() - 7_200_000), until: new Date(Date.now() - 3_600_000) };
    const brief = await startTlsUpstream(serverCa.issue([HOST], ended));
    try {
      await serve({ ...standing(), brief: [brief, { caSecret: 'servers' }] });
      expect(await answeredBy(gateway, 'brief')).toBe('503');
      expect(brief.callers).toEqual([]);
      brief.renew(serverCa.issue([HOST]));
      await servedAs('brief', 'tls');
    } finally {
      await brief.stop();
    }
  });

  it('waits for a secret that is missing: its server alone cannot be called, and an operator sees it', async () => {
    const startedAt = Date.now();
    await serve({
      ...standing(),
      early: [mutual, { caSecret: 'servers', clientCertificateSecret: 'to-come' }],
      other: [oneWay, { caSecret: 'servers' }],
    });
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    await servedAs('other', 'tls');
    const { status, text } = await httpCall(gateway.origin, '/mcp/early');
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ error: { data: { server: 'early' } } });
    expect((await xds.metrics.render()).body).toContain(
      'mcpgw_upstream_secrets_missing{service="xds-server"} 1',
    );
    await putCertificate('to-come', clientCa.issue(['spiffe://gateway/to-come']));
    await servedAs('early', 'tls');
    expect(mutual.callers).toContain('URI:spiffe://gateway/to-come');
  });

  it('takes no key that others can read', async () => {
    await serve({
      ...standing(),
      careless: [mutual, { caSecret: 'servers', clientCertificateSecret: 'careless' }],
    });
    const { certificate, key } = clientCa.issue(['spiffe://gateway/careless']);
    await writeFile(join(directory, 'careless.crt'), certificate);
    await writeFile(join(directory, 'careless.key'), key);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(await answeredBy(gateway, 'careless')).toBe('503');
    await chmod(join(directory, 'careless.key'), 0o600);
    await servedAs('careless', 'tls');
  });

  it('gives no tenant the secrets of another', async () => {
    sequence += 1;
    const server = { files: { '1.0.0': [`https://${HOST}:${oneWay.port}/mcp`] } };
    const settings = { files: { tls: { caSecret: 'servers' } } };
    const acme = withUpstreams(tenantOf('acme', server), settings);
    xds.update(snapshotOf(sequence, tenantOf('default', {}), acme));
    await until('settled', () => xds.ads.nodes()[0]?.acknowledgedSequence === sequence);
    const call = () => httpCall(gateway.origin, '/t/acme/mcp/files');
    expect((await call()).status).toBe(503);
    await mkdir(join(directory, 'acme'));
    await put(join(directory, 'acme', 'servers.ca'), serverCa.certificate);
    await until('its own is taken up', async () => (await call()).status === 200);
  });

  it('keeps keys out of what is told about resources', async () => {
    const told = JSON.stringify([xds.ads.nodes(), await gateway.admin('/config_dump')]);
    expect(told).not.toContain('PRIVATE KEY');
    expect((await xds.metrics.render()).body).not.toContain('PRIVATE KEY');
  });
});
