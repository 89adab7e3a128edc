// How Envoy reports to xds-server what became of a request or of one attempt at it.

import type { JsonObject } from '#core/json.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { envoyGrpc } from '#xds-server/filters/filter.ts';

/** Name under which the entries arrive. */
export const ACCESS_LOG_NAME = 'mcpgw';

/** An access log of whoever may have one: connection manager and router. */
export const toXdsServer: JsonObject = {
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
