// A real Envoy between a client and a server of the test's making, with the response guard in the place it has in the
// product. ext_authz is a double that hands on whatever orders the test sends along; nothing else is made up.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, Server as Http1Server, type RequestListener } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json, JsonObject } from '#core/json.ts';
import { loadService } from '#protos/service.ts';
import { type GrpcService, startGrpcServer } from '#runtime/grpc-server.ts';

/** The request header in which a test tells the ext_authz double what to write as metadata. */
export const ORDERS_HEADER = 'x-test-orders';

const ENVOY_HINT = 'ENVOY_BIN must name an Envoy binary for this test';

const toValue = (value: Json): JsonObject => {
  if (value === null) return { kind: 'nullValue', nullValue: 0 };
  if (typeof value === 'string') return { kind: 'stringValue', stringValue: value };
  if (typeof value === 'number') return { kind: 'numberValue', numberValue: value };
  if (typeof value === 'boolean') return { kind: 'boolValue', boolValue: value };
  if (Array.isArray(value)) return { kind: 'listValue', listValue: { values: value.map(toValue) } };
  return { kind: 'structValue', structValue: toStruct(value as JsonObject) };
};

/** A google.protobuf.Struct as proto-loader encodes and decodes it. */
export const toStruct = (object: JsonObject): JsonObject => ({
  fields: Object.fromEntries(Object.entries(object).map(([key, value]) => [key, toValue(value)])),
});

type Check = { attributes: { request: { http: { headers: Record<string, string> } } } };

const checkResponse = (orders: JsonObject | undefined): JsonObject => {
  const metadata = orders === undefined ? {} : { dynamic_metadata: toStruct(orders) };
  if (orders?.['guard'] !== 'denied') return { status: { code: 0 }, ok_response: {}, ...metadata };
  const denied = { status: { code: 403 }, body: '{"denied":true}' };
  return { status: { code: 7 }, denied_response: denied, ...metadata };
};

const authorizationDouble = (): GrpcService => ({
  definition: loadService('envoy.service.auth.v3.Authorization'),
  implementation: {
    Check: (call: { request: Check }, done: (error: null, response: JsonObject) => void) => {
      const text = call.request.attributes.request.http.headers[ORDERS_HEADER];
      done(null, checkResponse(text === undefined ? undefined : (JSON.parse(text) as JsonObject)));
    },
  },
});

const any = (type: string, fields: JsonObject): JsonObject => ({
  '@type': `type.googleapis.com/${type}`,
  ...fields,
});

const HTTP2_OPTIONS: JsonObject = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': any(
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      { explicit_http_config: { http2_protocol_options: {} } },
    ),
  },
};

const grpcCluster = (name: string, path: string): JsonObject => ({
  name,
  connect_timeout: '1s',
  type: 'STATIC',
  ...HTTP2_OPTIONS,
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
  },
});

export type ServerProtocol = 'http1' | 'http2';

const serverCluster = (port: number, protocol: ServerProtocol): JsonObject => {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return {
    name: 'server',
    connect_timeout: '1s',
    type: 'STATIC',
    ...(protocol === 'http2' ? HTTP2_OPTIONS : {}),
    load_assignment: { cluster_name: 'server', endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
};

const guardIs = (value: string): JsonObject => ({
  single_predicate: {
    input: {
      name: 'guard',
      typed_config: any('envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput', {
        filter: 'envoy.filters.http.ext_authz',
        path: [{ key: 'guard' }],
      }),
    },
    custom_match: {
      name: 'value',
      typed_config: any('envoy.extensions.matching.input_matchers.metadata.v3.Metadata', {
        value: { string_match: { exact: value } },
      }),
    },
  },
});

const IS_JSON: JsonObject = {
  single_predicate: {
    input: {
      name: 'content-type',
      typed_config: any('envoy.type.matcher.v3.HttpResponseHeaderMatchInput', {
        header_name: 'content-type',
      }),
    },
    value_match: { exact: 'application/json' },
  },
};

const SKIP: JsonObject = {
  action: {
    name: 'skip',
    typed_config: any('envoy.extensions.filters.common.matcher.action.v3.SkipFilter', {}),
  },
};

const externalProcessor: JsonObject = any('envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor', {
  grpc_service: { envoy_grpc: { cluster_name: 'ext-proc' }, timeout: '0s' },
  processing_mode: {
    request_header_mode: 'SKIP',
    response_header_mode: 'SEND',
    request_body_mode: 'NONE',
    response_body_mode: 'NONE',
    request_trailer_mode: 'SKIP',
    response_trailer_mode: 'SKIP',
  },
  allow_mode_override: true,
  message_timeout: '2s',
  failure_mode_allow: false,
  status_on_error: { code: 'BadGateway' },
  response_attributes: ['upstream.address'],
  metadata_options: { forwarding_namespaces: { untyped: ['envoy.filters.http.ext_authz'] } },
});

const responseGuard: JsonObject = {
  name: 'envoy.filters.http.ext_proc',
  typed_config: any('envoy.extensions.common.matching.v3.ExtensionWithMatcher', {
    extension_config: { name: 'envoy.filters.http.ext_proc', typed_config: externalProcessor },
    xds_matcher: {
      matcher_list: {
        matchers: [
          { predicate: { and_matcher: { predicate: [guardIs('off'), IS_JSON] } }, on_match: SKIP },
          { predicate: guardIs('denied'), on_match: SKIP },
        ],
      },
    },
  }),
};

const authorization: JsonObject = {
  name: 'envoy.filters.http.ext_authz',
  typed_config: any('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
    grpc_service: { envoy_grpc: { cluster_name: 'ext-authz' }, timeout: '2s' },
    transport_api_version: 'V3',
  }),
};

const router: JsonObject = {
  name: 'envoy.filters.http.router',
  typed_config: any('envoy.extensions.filters.http.router.v3.Router', {}),
};

const connectionManager: JsonObject = any(
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
  {
    stat_prefix: 'test',
    codec_type: 'AUTO',
    delayed_close_timeout: '0.1s',
    stream_idle_timeout: '0s',
    http_filters: [authorization, responseGuard, router],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'server', timeout: '0s' } }],
        },
      ],
    },
  },
);

const bootstrap = (sockets: { authz: string; proc: string }, server: JsonObject): JsonObject => ({
  admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
  static_resources: {
    listeners: [
      {
        name: 'test',
        address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
        filter_chains: [
          {
            filters: [
              { name: 'envoy.filters.network.http_connection_manager', typed_config: connectionManager },
            ],
          },
        ],
      },
    ],
    clusters: [grpcCluster('ext-authz', sockets.authz), grpcCluster('ext-proc', sockets.proc), server],
  },
});

const pause = (timeMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, timeMs));

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

const closeServer = (server: Server): Promise<void> => {
  if (server instanceof Http1Server) server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
};

type Listeners = {
  listener_statuses?: { name: string; local_address: { socket_address: { port_value: number } } }[];
};

const envoyPort = async (adminFile: string, envoy: ChildProcess, stderr: () => string): Promise<number> => {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (envoy.exitCode !== null) throw new Error(`Envoy ended: ${stderr().slice(-2000)}`);
    await pause(50);
    const admin = await readFile(adminFile, 'utf8').catch(() => '');
    if (admin === '') continue;
    const response = await fetch(`http://${admin}/listeners?format=json`).catch(() => undefined);
    const listeners = (await response?.json().catch(() => undefined)) as Listeners | undefined;
    const port = listeners?.listener_statuses?.find(({ name }) => name === 'test')?.local_address;
    if (port !== undefined) return port.socket_address.port_value;
  }
  throw new Error('Envoy did not open its listener within 15 s');
};

const startEnvoy = async (directory: string, configuration: JsonObject) => {
  const binary = process.env['ENVOY_BIN'];
  if (binary === undefined || !existsSync(binary)) throw new Error(ENVOY_HINT);
  const configFile = join(directory, 'envoy.json');
  const adminFile = join(directory, 'admin');
  await writeFile(configFile, JSON.stringify(configuration));
  const flags = ['-c', configFile, '--concurrency', '1', '--disable-hot-restart', '-l', 'warning'];
  const envoy = spawn(binary, [...flags, '--admin-address-path', adminFile], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  envoy.stderr?.on('data', (data) => {
    stderr += String(data);
  });
  const port = await envoyPort(adminFile, envoy, () => stderr);
  const stop = async () => {
    const ended = new Promise((resolve) => envoy.once('exit', resolve));
    envoy.kill('SIGKILL');
    await ended;
  };
  return { port, stop };
};

export type GuardBench = {
  /** `http://127.0.0.1:{port}` of Envoy's listener. */
  readonly url: string;
  /** What answers behind Envoy; replace it at will. */
  server: RequestListener;
  stop(): Promise<void>;
};

/**
 * Starts Envoy, the double and the server.
 * @param startGuard starts the guard on the Unix socket of the given path and returns what stops it.
 */
export const startGuardBench = async (
  startGuard: (socketPath: string, directory: string) => Promise<() => Promise<void>>,
  protocol: ServerProtocol = 'http1',
): Promise<GuardBench> => {
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-xp-'));
  const sockets = { authz: join(directory, 'a.sock'), proc: join(directory, 'p.sock') };
  const bench = { server: ((_, response) => response.end()) as RequestListener };
  const answer: RequestListener = (request, response) => bench.server(request, response);
  const server = protocol === 'http1' ? createServer(answer) : createHttp2Server(answer as never);
  const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  const stop = async () => {
    for (const stopPart of stops.splice(0).toReversed()) await stopPart();
  };
  try {
    const serverPort = await listen(server);
    stops.push(() => closeServer(server));
    stops.push(
      await startGrpcServer({ kind: 'unix', path: sockets.authz }, [authorizationDouble()]),
      await startGuard(sockets.proc, directory),
    );
    const envoy = await startEnvoy(directory, bootstrap(sockets, serverCluster(serverPort, protocol)));
    stops.push(envoy.stop);
    return Object.assign(bench, { url: `http://127.0.0.1:${envoy.port}`, stop });
  } catch (thrown) {
    await stop();
    throw thrown;
  }
};
