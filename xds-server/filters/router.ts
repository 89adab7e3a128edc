// The last filter: it forwards, and reports each attempt it makes.

import { typedMessage } from '#protos/typed-struct.ts';
import { toXdsServer } from '#xds-server/filters/access-log.ts';
import type { HttpFilter } from '#xds-server/filters/filter.ts';

export const router: HttpFilter = {
  name: 'envoy.filters.http.router',
  // Envoy's own x-envoy-* headers (original path, timeouts, attempts) are nobody else's business.
  listenerPart: () =>
    typedMessage('envoy.extensions.filters.http.router.v3.Router', {
      suppress_envoy_headers: true,
      // A retried call leaves one entry as a whole, which names the last replica only; each attempt leaves one of its own.
      upstream_log: [toXdsServer],
    }),
};
