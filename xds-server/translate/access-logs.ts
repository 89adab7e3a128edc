// Where Envoy reports each request: to xds-server, which counts, and if the operator wants it as JSON on stdout.

import type { JsonObject } from '#core/json.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { toXdsServer } from '#xds-server/filters/access-log.ts';
import { extAuthz } from '#xds-server/filters/ext-authz.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';

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
