// When Envoy tries a call again. A call that may have run is tried again only if ext-authz said that a second run does
// no harm; everything else only as long as the upstream cannot have seen it.

import type { JsonObject } from '#core/json.ts';
import { typedMessage } from '#protos/typed-struct.ts';

/** `safe`: a second run does no harm. */
export type Repeatability = 'safe' | 'unsafe';

/** What cannot have run: no connection, or a stream the upstream says it has not processed (RFC 9113 §8.7). */
const NOT_RUN = 'connect-failure,refused-stream';

/** Whatever left no answer of the server's own: broken off, silent beyond the limit, or 502, 503 and 504. */
const NO_ANSWER = `${NOT_RUN},reset,gateway-error`;

const ATTEMPTS = 2;

const PREVIOUS_HOSTS: JsonObject = {
  name: 'envoy.retry_host_predicates.previous_hosts',
  typed_config: typedMessage('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate', {}),
};

/** `retry_policy` of a route; another replica is tried first. */
export const buildRetryPolicy = (repeatability: Repeatability): JsonObject => ({
  retry_on: repeatability === 'safe' ? NO_ANSWER : NOT_RUN,
  num_retries: ATTEMPTS,
  retry_host_predicate: [PREVIOUS_HOSTS],
  host_selection_retry_max_attempts: 3,
});
