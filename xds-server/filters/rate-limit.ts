// The rate limit counted across Envoys by the rate-limit service. Routes carry no descriptors yet, so it is not called.

import { typedMessage } from '#protos/typed-struct.ts';
import { envoyGrpc, type HttpFilter } from '#xds-server/filters/filter.ts';

export const rateLimit: HttpFilter = {
  name: 'envoy.filters.http.ratelimit',
  listenerPart: () =>
    typedMessage('envoy.extensions.filters.http.ratelimit.v3.RateLimit', {
      domain: 'mcpgw',
      failure_mode_deny: true,
      status_on_error: { code: 'ServiceUnavailable' },
      timeout: '0.1s',
      rate_limit_service: { grpc_service: envoyGrpc('rate-limit'), transport_api_version: 'V3' },
    }),
};
