// What happens to a call between the choice of its replica and the replica: our own headers are taken away. A route's
// `request_headers_to_remove` would come too early, before the choice that some of them decide (measured on Envoy 1.40).

import { INTERNAL_HEADER_PREFIX } from '#core/internal-headers.ts';
import type { JsonObject } from '#core/json.ts';
import { typedMessage, typedStruct } from '#protos/typed-struct.ts';

/** A cluster's `http_filters`; the codec is the last, as Envoy wants it. */
export const UPSTREAM_FILTERS: readonly JsonObject[] = [
  {
    name: 'envoy.filters.http.header_mutation',
    // TypedStruct: remove_on_match is newer than the npm protos.
    typed_config: typedStruct('envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
      mutations: {
        request_mutations: [
          { remove_on_match: { key_matcher: { prefix: INTERNAL_HEADER_PREFIX, ignore_case: true } } },
        ],
      },
    }),
  },
  {
    name: 'envoy.filters.http.upstream_codec',
    typed_config: typedMessage('envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec', {}),
  },
];
