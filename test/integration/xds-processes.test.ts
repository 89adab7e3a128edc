// xds-server and Envoy as processes, started as they are in production, following a registry feed.

import { writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEvents } from '#test/support/event-streams.ts';
import { httpCall, openStream } from '#test/support/http-call.ts';
import { PUBLISH_AUTHORITY, PUBLISH_CERTIFICATES } from '#test/support/publish-certificates.ts';
import { createTestAuthority, type IssuedCertificate } from '#test/support/test-authority.ts';
import { until } from '#test/support/xds-gateway.ts';
import { type ProcessWorld, startProcessWorld } from '#test/support/xds-process-world.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { tenantOf } from '#test/support/xds-world.ts';

let world: ProcessWorld;
let upstream: Upstream;

const serves = (status: number) =>
  until(
    `the gateway answers ${status}`,
    async () => (await httpCall(world.origin, '/mcp/one').catch(() => undefined))?.status === status,
    15_000,
  );

beforeEach(async () => {
  world = await startProcessWorld();
  upstream = await startUpstream('one');
});

afterEach(async () => {
  await world.stop();
  await upstream.stop();
});

describe('the processes', () => {
  it('serve what the registry says, tell it how far Envoy is, and survive its end', async () => {
    const registry = await world.startRegistry();
    registry.source.put(tenantOf('default', { one: { '1.0.0': [upstream.url] } }));
    const xds = world.run('xds-server/main.ts');
    world.run('envoy/main.ts');
    await serves(200);
    await until('the registry knows', () =>
      registry.feed
        .consumers()
        .some(({ status }) => status?.nodes?.some(({ acknowledgedSequence }) => acknowledgedSequence === 1)),
    );
    await registry.stop();
    xds.kill('SIGKILL');
    await world.ended(xds);
    await serves(200);
    world.run('xds-server/main.ts');
    await until(
      'it serves its copy',
      async () => (await world.readiness().catch(() => undefined))?.['ready'] === true,
    );
    expect(await world.readiness()).toMatchObject({ source: 'disk', registryConnected: false, sequence: 1 });
    await until('Envoy is back', async () =>
      JSON.stringify(await world.readiness()).includes('"acknowledgedSequence":1'),
    );
    await serves(200);
  }, 60_000);

  const useTls = async (): Promise<void> => {
    const { certificate, key } = PUBLISH_CERTIFICATES.server;
    const files = {
      GATEWAY_TLS_CERTIFICATE_FILE: join(world.directory, 'tls.pem'),
      GATEWAY_TLS_KEY_FILE: join(world.directory, 'tls.key'),
    };
    await writeFile(files.GATEWAY_TLS_CERTIFICATE_FILE, certificate);
    await writeFile(files.GATEWAY_TLS_KEY_FILE, key);
    Object.assign(world.environment, { GATEWAY_TLS: 'true', ...files });
  };

  it('ask clients for certificates, and let in who has none, and none who has a wrong one', async () => {
    const registry = await world.startRegistry();
    registry.source.put(tenantOf('default', { one: { '1.0.0': [upstream.url] } }));
    await useTls();
    const authority = createTestAuthority('clients');
    const caFile = join(world.directory, 'clients.pem');
    await writeFile(caFile, authority.certificate);
    Object.assign(world.environment, { GATEWAY_CLIENT_CERTIFICATES: 'true', GATEWAY_CLIENT_CA_FILE: caFile });
    world.run('xds-server/main.ts');
    world.run('envoy/main.ts');
    const statusFor = (client?: IssuedCertificate): Promise<number> =>
      new Promise((resolve) => {
        const shown = client === undefined ? {} : { cert: client.certificate, key: client.key };
        const options = { agent: false, rejectUnauthorized: false, ...shown };
        request(`${world.origin.replace('http:', 'https:')}/mcp/one`, options, (response) => {
          resolve(response.statusCode ?? 0);
          response.destroy();
        })
          .on('error', () => resolve(0))
          .end();
      });
    await until('it is served over TLS', async () => (await statusFor()) === 200, 30_000);
    expect(await statusFor(authority.issue(['spiffe://acme.example/robot']))).toBe(200);
    const forged = createTestAuthority('clients').issue(['spiffe://acme.example/robot']);
    expect(await statusFor(forged)).toBe(0);
    await registry.stop();
  }, 60_000);

  it('speak TLS at the gateway, with the certificate of this machine', async () => {
    const registry = await world.startRegistry();
    registry.source.put(tenantOf('default', { one: { '1.0.0': [upstream.url] } }));
    await useTls();
    world.run('xds-server/main.ts');
    world.run('envoy/main.ts');
    const secure = world.origin.replace('http:', 'https:');
    const status = () =>
      openEvents(secure, '/mcp/one', { version: '2', ca: PUBLISH_AUTHORITY }).then(
        (stream) => {
          stream.close();
          return stream.status;
        },
        () => 0,
      );
    await until('it is served over HTTP/2 and TLS', async () => (await status()) === 200, 30_000);
    await registry.stop();
  }, 60_000);

  it('let calls that run finish when Envoy is asked to stop', async () => {
    const registry = await world.startRegistry();
    registry.source.put(tenantOf('default', { one: { '1.0.0': [upstream.url] } }));
    world.run('xds-server/main.ts');
    const envoy = world.run('envoy/main.ts');
    await serves(200);
    const stream = await openStream(world.origin, '/mcp/one');
    envoy.kill('SIGTERM');
    await new Promise((done) => setTimeout(done, 1_500));
    expect(stream.isOpen()).toBe(true);
    expect(envoy.exitCode).toBeNull();
    stream.close();
    expect(await world.ended(envoy)).toBe(0);
    await expect(httpCall(world.origin, '/mcp/one')).rejects.toThrow();
    await registry.stop();
  }, 60_000);
});
