// xds-server and Envoy as processes, started as they are in production, following a registry feed.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFeedServer } from '#registry/feed/server.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { openEvents } from '#test/support/event-streams.ts';
import { httpCall, openStream } from '#test/support/http-call.ts';
import { createMemoryFeedSource } from '#test/support/memory-feed-source.ts';
import { PUBLISH_AUTHORITY, PUBLISH_CERTIFICATES } from '#test/support/publish-certificates.ts';
import { authorizationDouble, processorDouble } from '#test/support/xds-doubles.ts';
import { freePort, requireEnvoy, until } from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { tenantOf } from '#test/support/xds-world.ts';

const ROOT = resolve(import.meta.dirname, '../..');

let directory: string;
let environment: Record<string, string>;
let origin: string;
let upstream: Upstream;
let children: ChildProcess[];
let cleanups: (() => Promise<void>)[];

const run = (script: string): ChildProcess => {
  const child = spawn(process.execPath, [join(ROOT, script)], {
    cwd: directory,
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  });
  children.push(child);
  return child;
};

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done(child.exitCode);
    else child.once('exit', done);
  });

const readiness = (): Promise<Record<string, unknown>> =>
  new Promise((done, fail) => {
    const socketPath = join(directory, 'xds-server-ops.sock');
    const outgoing = request({ socketPath, path: '/readyz' }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => done(JSON.parse(text)));
    });
    outgoing.on('error', fail).end();
  });

const serve = async (name: string, services: Parameters<typeof startGrpcServer>[1]) => {
  const stop = await startGrpcServer({ kind: 'unix', path: join(directory, `${name}.sock`) }, services);
  cleanups.push(stop);
  return stop;
};

const startRegistry = async (source = createMemoryFeedSource()) => {
  const logger = createLogger('registry', 'silent');
  const feed = createFeedServer({ source, logger, metrics: createMetrics('registry') });
  const stopServer = await serve('registry-feed', [feed.service]);
  const stop = async (): Promise<void> => {
    feed.stop();
    await stopServer();
  };
  return { source, feed, stop };
};

const serves = (status: number) =>
  until(
    `the gateway answers ${status}`,
    async () => (await httpCall(origin, '/mcp/one').catch(() => undefined))?.status === status,
    15_000,
  );

beforeEach(async () => {
  children = [];
  cleanups = [];
  directory = await mkdtemp(join(tmpdir(), 'xp-'));
  upstream = await startUpstream('one');
  const port = String(await freePort());
  origin = `http://127.0.0.1:${port}`;
  environment = {
    MCPGW_RUNTIME_DIR: directory,
    MCPGW_STATE_DIR: directory,
    ENVOY_BIN: requireEnvoy(),
    ENVOY_ADMIN_PORT: String(await freePort()),
    ENVOY_CONCURRENCY: '1',
    GATEWAY_PORT: port,
    EGRESS_ALLOW_PRIVATE: 'true',
  };
  await serve('ext-authz', [authorizationDouble(() => ({ version: '1.0.0' }))]);
  await serve('ext-proc', [processorDouble(() => ({ response_headers: {} }))]);
});

afterEach(async () => {
  for (const child of children.toReversed()) child.kill('SIGTERM');
  await Promise.all(children.map(ended));
  for (const cleanup of cleanups) await cleanup();
  await upstream.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('the processes', () => {
  it('serve what the registry says, tell it how far Envoy is, and survive its end', async () => {
    const registry = await startRegistry();
    registry.source.put(tenantOf('default', { one: { '1.0.0': [upstream.url] } }));
    const xds = run('xds-server/main.ts');
    run('envoy/main.ts');
    await serves(200);
    await until('the registry knows', () =>
      registry.feed
        .consumers()
        .some(({ status }) => status?.nodes?.some(({ acknowledgedSequence }) => acknowledgedSequence === 1)),
    );
    await registry.stop();
    xds.kill('SIGKILL');
    await ended(xds);
    await serves(200);
    run('xds-server/main.ts');
    await until(
      'it serves its copy',
      async () => (await readiness().catch(() => undefined))?.['ready'] === true,
    );
    expect(await readiness()).toMatchObject({ source: 'disk', registryConnected: false, sequence: 1 });
    await until('Envoy is back', async () =>
      JSON.stringify(await readiness()).includes('"acknowledgedSequence":1'),
    );
    await serves(200);
  }, 60_000);

  it('speak TLS at the gateway, with the certificate of this machine', async () => {
    const registry = await startRegistry();
    registry.source.put(tenantOf('default', { one: { '1.0.0': [upstream.url] } }));
    const { certificate, key } = PUBLISH_CERTIFICATES.server;
    const files = { certificateFile: join(directory, 'tls.pem'), keyFile: join(directory, 'tls.key') };
    await writeFile(files.certificateFile, certificate);
    await writeFile(files.keyFile, key);
    environment['GATEWAY_TLS'] = 'true';
    environment['GATEWAY_TLS_CERTIFICATE_FILE'] = files.certificateFile;
    environment['GATEWAY_TLS_KEY_FILE'] = files.keyFile;
    run('xds-server/main.ts');
    run('envoy/main.ts');
    const secure = origin.replace('http:', 'https:');
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
    const registry = await startRegistry();
    registry.source.put(tenantOf('default', { one: { '1.0.0': [upstream.url] } }));
    run('xds-server/main.ts');
    const envoy = run('envoy/main.ts');
    await serves(200);
    const stream = await openStream(origin, '/mcp/one');
    envoy.kill('SIGTERM');
    await new Promise((done) => setTimeout(done, 1_500));
    expect(stream.isOpen()).toBe(true);
    expect(envoy.exitCode).toBeNull();
    stream.close();
    expect(await ended(envoy)).toBe(0);
    await expect(httpCall(origin, '/mcp/one')).rejects.toThrow();
    await registry.stop();
  }, 60_000);
});
