// Where Envoy reports each request: to xds-server, which counts, and if the operator wants it as JSON on stdout.

import type { JsonObject } from '#core/json.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { extAuthz } from '#xds-server/filters/ext-authz.ts';
import { envoyGrpc } from '#xds-server/filters/filter.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';

/** Name under which the entries arrive. */
export const ACCESS_LOG_NAME = 'mcpgw';

const toXdsServer: JsonObject = {
  name: 'envoy.access_loggers.http_grpc',
  typed_config: typedMessage('envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig', {
    common_config: {
      log_name: ACCESS_LOG_NAME,
      grpc_service: envoyGrpc('xds-server'),
      transport_api_version: 'V3',
      buffer_flush_interval: '1s',
    },
  }),
};

const judged = (field: string): string => `%DYNAMIC_METADATA(${extAuthz.name}:${field})%`;

// The path as it was forwarded, or as it came where nothing was; tenant and server tell which endpoint was called.
// Without its query: people put tokens there.
const FORMAT: JsonObject = {
  time: '%START_TIME%',
  requestId: '%REQ(X-REQUEST-ID)%',
  method: '%REQ(:METHOD)%',
  path: '%PATH(NQ:PATH)%',
  status: '%RESPONSE_CODE%',
  details: '%RESPONSE_CODE_DETAILS%',
  flags: '%RESPONSE_FLAGS%',
  durationMs: '%DURATION%',
  bytesReceived: '%BYTES_RECEIVED%',
  bytesSent: '%BYTES_SENT%',
  upstream: '%UPSTREAM_CLUSTER_RAW%',
  upstreamAddress: '%UPSTREAM_HOST%',
  tenant: judged('tenantId'),
  server: judged('serverId'),
  mcpMethod: judged('method'),
  tool: judged('tool'),
};

const toStdout: JsonObject = {
  name: 'envoy.access_loggers.stdout',
  typed_config: typedMessage('envoy.extensions.access_loggers.stream.v3.StdoutAccessLog', {
    log_format: { json_format: FORMAT },
  }),
};

/** `access_log` of the connection manager. */
export const buildAccessLogs = (settings: GatewaySettings): JsonObject[] =>
  settings.accessLogOnStdout ? [toXdsServer, toStdout] : [toXdsServer];
