// How Envoy reports to xds-server what became of a request or of one attempt at it.

import type { JsonObject } from '#core/json.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { envoyGrpc } from '#xds-server/filters/filter.ts';

/** Name under which the entries arrive. */
export const ACCESS_LOG_NAME = 'mcpgw';

/**
 * Entries of one worker that wait for company, bytes; they go after a second in any case. Envoy's own 16 KiB are ten entries, and
 * taking a message costs xds-server as much as reading that many: with this a call costs it half (decision 067).
 */
const BUFFER_BYTES = 256 * 1024;

/** An access log of whoever may have one: connection manager and router. */
export const toXdsServer: JsonObject = {
  name: 'envoy.access_loggers.http_grpc',
  typed_config: typedMessage('envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig', {
    common_config: {
      log_name: ACCESS_LOG_NAME,
      grpc_service: envoyGrpc('xds-server'),
      transport_api_version: 'V3',
      buffer_flush_interval: '1s',
      buffer_size_bytes: BUFFER_BYTES,
    },
  }),
};
