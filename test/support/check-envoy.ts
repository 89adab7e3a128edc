// A real Envoy whose ext_authz asks a Check of the test's making, in front of an echo server that says what it got.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '#core/json.ts';
import { AUTHORIZATION_DEFINITION } from '#ext-authz/grpc-edge.ts';
import type { CheckResponseMessage } from '#ext-authz/response/check-response.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';

/** Longest body Envoy hands over; a longer one arrives cut, marked as partial. */
export const BUFFERED_BYTES = 2000;

export type CheckBench = {
  readonly port: number;
  /** Answers encoded CheckRequests; replace it at will. */
  check: (message: Buffer) => CheckResponseMessage;
  stop(): Promise<void>;
};

const any = (type: string, fields: JsonObject): JsonObject => ({
  '@type': `type.googleapis.com/envoy.extensions.${type}`,
  ...fields,
});

const AUTHORIZATION = any('filters.http.ext_authz.v3.ExtAuthz', {
  grpc_service: { envoy_grpc: { cluster_name: 'ext-authz' }, timeout: '5s' },
  transport_api_version: 'V3',
  encode_raw_headers: true,
  with_request_body: { max_request_bytes: BUFFERED_BYTES, allow_partial_message: true, pack_as_bytes: true },
});

const ROUTE: JsonObject = {
  match: { prefix: '/' },
  route: { cluster: 'server' },
  request_headers_to_add: ['guard', 'lists', 'sequence'].map((key) => ({
    header: { key: `x-test-${key}`, value: `%DYNAMIC_METADATA(envoy.filters.http.ext_authz:${key})%` },
  })),
  typed_per_filter_config: {
    'envoy.filters.http.ext_authz': any('filters.http.ext_authz.v3.ExtAuthzPerRoute', {
      check_settings: { context_extensions: { tenant: 'default', server: 'tracker' } },
    }),
  },
};

const CONNECTION_MANAGER = any('filters.network.http_connection_manager.v3.HttpConnectionManager', {
  stat_prefix: 'test',
  use_remote_address: true,
  http_filters: [
    { name: 'envoy.filters.http.ext_authz', typed_config: AUTHORIZATION },
    { name: 'envoy.filters.http.router', typed_config: any('filters.http.router.v3.Router', {}) },
  ],
  route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [ROUTE] }] },
});

const cluster = (name: string, address: JsonObject, options: JsonObject = {}): JsonObject => ({
  name,
  type: 'STATIC',
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  ...options,
});

const HTTP2: JsonObject = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': any('upstreams.http.v3.HttpProtocolOptions', {
      explicit_http_config: { http2_protocol_options: {} },
    }),
  },
};

const loopback = (port: number): JsonObject => ({
  socket_address: { address: '127.0.0.1', port_value: port },
});

const bootstrap = (socketPath: string, serverPort: number): JsonObject => ({
  admin: { address: loopback(0) },
  static_resources: {
    listeners: [
      {
        name: 'test',
        address: loopback(0),
        filter_chains: [{ filters: [{ name: 'http', typed_config: CONNECTION_MANAGER }] }],
      },
    ],
    clusters: [
      cluster('ext-authz', { pipe: { path: socketPath } }, HTTP2),
      cluster('server', loopback(serverPort)),
    ],
  },
});

const startEcho = async (): Promise<Server> => {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(200, { 'access-control-allow-origin': '*', vary: 'Accept' });
      response.end(
        JSON.stringify({
          url: request.url,
          headers: request.headersDistinct,
          body: Buffer.concat(chunks).toString('base64'),
        }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};

type Listeners = { listener_statuses?: { local_address: { socket_address: { port_value: number } } }[] };

const listenerPort = async (adminFile: string, envoy: ChildProcess): Promise<number> => {
  for (let attempt = 0; attempt < 300 && envoy.exitCode === null; attempt += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const admin = await readFile(adminFile, 'utf8').catch(() => '');
    if (admin === '') continue;
    const answer = await fetch(`http://${admin}/listeners?format=json`).catch(() => undefined);
    const listeners = (await answer?.json().catch(() => undefined)) as Listeners | undefined;
    const port = listeners?.listener_statuses?.[0]?.local_address.socket_address.port_value;
    if (port !== undefined) return port;
  }
  throw new Error(`Envoy opened no listener within 15 s (exit code ${envoy.exitCode})`);
};

/** Starts Envoy, the check service and the echo server. */
export const startCheckBench = async (): Promise<CheckBench> => {
  const binary = process.env['ENVOY_BIN'];
  if (binary === undefined || !existsSync(binary))
    throw new Error('ENVOY_BIN must name an Envoy binary for this test');
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-ck-'));
  const [socketPath, configFile, adminFile] = ['c.sock', 'envoy.json', 'admin'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  const bench = {
    check: (() => {
      throw new Error('the test set no check');
    }) as CheckBench['check'],
  };
  const stopChecks = await startGrpcServer({ kind: 'unix', path: socketPath }, [
    {
      definition: AUTHORIZATION_DEFINITION,
      implementation: {
        Check: (call: { request: Buffer }, done: (error: null, answer: CheckResponseMessage) => void) =>
          done(null, bench.check(call.request)),
      },
    },
  ]);
  const echo = await startEcho();
  await writeFile(configFile, JSON.stringify(bootstrap(socketPath, (echo.address() as AddressInfo).port)));
  const flags = ['--concurrency', '1', '--disable-hot-restart', '-l', 'error'];
  const envoy = spawn(binary, ['-c', configFile, '--admin-address-path', adminFile, ...flags], {
    stdio: 'ignore',
  });
  const port = await listenerPort(adminFile, envoy);
  const stop = async () => {
    const ended = new Promise((resolve) => envoy.once('exit', resolve));
    envoy.kill('SIGKILL');
    await ended;
    echo.closeAllConnections();
    await new Promise((resolve) => echo.close(resolve));
    await stopChecks();
    await rm(directory, { recursive: true, force: true });
  };
  return Object.assign(bench, { port, stop });
};
