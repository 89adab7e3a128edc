// The rate limit Envoy counts by itself, before any hop. It stands in the listener so that a route can turn it on
// without a listener update; no route does yet.

import { typedMessage } from '#protos/typed-struct.ts';
import type { HttpFilter } from '#xds-server/filters/filter.ts';

export const localRateLimit: HttpFilter = {
  name: 'envoy.filters.http.local_ratelimit',
  // Without a token bucket the filter lets everything pass.
  listenerPart: () =>
    typedMessage('envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit', {
      stat_prefix: 'mcpgw_local_rate_limit',
    }),
};
