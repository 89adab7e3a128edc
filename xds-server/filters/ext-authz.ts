// The decision: every request goes to ext-authz with its whole body before anything is forwarded. Fails closed.

import { VERSION_HEADER } from '#core/internal-headers.ts';
import type { JsonObject } from '#core/json.ts';
import { typedMessage, typedStruct } from '#protos/typed-struct.ts';
import { envoyGrpc, type HttpFilter, type RoutePart } from '#xds-server/filters/filter.ts';

/** Longest request body Envoy hands over; a longer one is refused with 413 before the hop. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** A cold On-Behalf-Of exchange waits for the identity provider; a decision by itself takes a millisecond. */
const TIMEOUT = '5s';

/**
 * How often a host that has refused is drawn again before it is asked again. The fewest open questions has the process that
 * died, so of two it is drawn three times in four until it is known to be gone; a draw costs next to nothing.
 */
const DRAWS = 32;

/** A question that reached no process may be asked once more; one that was heard is asked only once, for it is recorded. */
const ONCE_ELSEWHERE: JsonObject = {
  num_retries: 1,
  retry_on: 'connect-failure,refused-stream',
  retry_host_predicate: [
    {
      name: 'previous_hosts',
      typed_config: typedMessage('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate', {}),
    },
  ],
  host_selection_retry_max_attempts: DRAWS,
};

const NAME = 'envoy.filters.http.ext_authz';
const PER_ROUTE = 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute';

/**
 * It names the version, the token, and by `:path` whose routes a call by a tenant's own host name takes; it does not say
 * where a body ends or what was asked. Anything else would be a fault of ours, and fails the call. Host, scheme and
 * method are out of its reach by Envoy's own rules too, as is x-envoy-*.
 */
const WHAT_IT_MAY_CHANGE: JsonObject = {
  disallow_expression: {
    regex:
      ':[^p].*|host|content-length|transfer-encoding|connection|upgrade|te|x-request-id|x-forwarded-(for|proto|host)',
  },
  disallow_is_error: true,
};

export const extAuthz: HttpFilter = {
  name: NAME,
  // TypedStruct: clear_route_cache_headers is newer than the npm protos.
  listenerPart: ({ listenerClientCertificates = false }) =>
    typedStruct('envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
      grpc_service: envoyGrpc('ext-authz', TIMEOUT, ONCE_ELSEWHERE),
      transport_api_version: 'V3',
      // A cut body would be judged as something else than what is forwarded.
      with_request_body: {
        max_request_bytes: MAX_REQUEST_BYTES,
        allow_partial_message: false,
        pack_as_bytes: true,
      },
      failure_mode_allow: false,
      status_on_error: { code: 'ServiceUnavailable' },
      // The route is chosen again once ext-authz has named the version, and for no other header.
      clear_route_cache: true,
      clear_route_cache_headers: [VERSION_HEADER],
      // Repeated headers reach ext-authz as they were sent instead of joined by commas.
      encode_raw_headers: true,
      ...(listenerClientCertificates ? { include_peer_certificate: true } : {}),
      validate_mutations: true,
      decoder_header_mutation_rules: WHAT_IT_MAY_CHANGE,
    }),
};

/** Tells ext-authz which endpoint the route belongs to: ids from the registry, not text from the request. */
export const checkedAs = (facts: Readonly<Record<string, string>>): RoutePart => ({
  [NAME]: typedMessage(PER_ROUTE, { check_settings: { context_extensions: { ...facts } } }),
});

/** For routes that only ever answer by themselves. */
export const unchecked: RoutePart = { [NAME]: typedMessage(PER_ROUTE, { disabled: true }) };
