// The last filter: it forwards.

import { typedMessage } from '#protos/typed-struct.ts';
import type { HttpFilter } from '#xds-server/filters/filter.ts';

export const router: HttpFilter = {
  name: 'envoy.filters.http.router',
  // Envoy's own x-envoy-* headers (original path, timeouts, attempts) are nobody else's business.
  listenerPart: () =>
    typedMessage('envoy.extensions.filters.http.router.v3.Router', { suppress_envoy_headers: true }),
};
