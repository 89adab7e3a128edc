// When Envoy gives up on a replica that does not answer, and when it tries a call again. A call that may have run is tried
// again only if ext-authz said that a second run does no harm; everything else only as long as the upstream cannot have
// seen it. How long, how often and after what pause is the server's pace, where it has one.

import type { AdaptiveSettings } from '#core/adaptive-settings.ts';
import type { JsonObject } from '#core/json.ts';
import type { Pace } from '#core/pace.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { milliseconds } from '#xds-server/translate/duration.ts';

/** `safe`: a second run does no harm. */
export type Repeatability = 'safe' | 'unsafe';

/** What cannot have run: no connection, or a stream the upstream says it has not processed (RFC 9113 §8.7). */
const NOT_RUN = 'connect-failure,refused-stream';

/** Whatever left no answer of the server's own: broken off, silent beyond the limit, or 502, 503 and 504. */
const NO_ANSWER = `${NOT_RUN},reset,gateway-error`;

const RETRIES = 2;

/** Each pause is a random one up to twice the one before, and none longer than so many times the first. */
const LONGEST_PAUSE = 10;

/**
 * How often Envoy draws again when it has drawn a replica that was tried already. A dead replica has nothing in hand, so by
 * least requests it wins three draws of four against one with open streams: with three draws more, one call in thirteen
 * came back to it each time and failed. With these it is one in a hundred million.
 */
const DRAWS = 32;

const PREVIOUS_HOSTS: JsonObject = {
  name: 'envoy.retry_host_predicates.previous_hosts',
  typed_config: typedMessage('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate', {}),
};

const pauses = ({ backoffMs }: Pace): JsonObject =>
  backoffMs === undefined
    ? {}
    : {
        retry_back_off: {
          base_interval: milliseconds(backoffMs),
          max_interval: milliseconds(LONGEST_PAUSE * backoffMs),
        },
      };

/** `retry_policy` of a route without a time limit; another replica is tried first. */
export const buildRetryPolicy = (repeatability: Repeatability, pace: Pace = {}): JsonObject => ({
  retry_on: repeatability === 'safe' ? NO_ANSWER : NOT_RUN,
  num_retries: pace.retries ?? RETRIES,
  ...pauses(pace),
  retry_host_predicate: [PREVIOUS_HOSTS],
  host_selection_retry_max_attempts: DRAWS,
});

/**
 * The same with the pace's time limit, for calls that wait for one answer. Envoy drops it once the answer has begun, so
 * no stream is cut (measured on 1.40); a route's `timeout` would cut them.
 */
export const buildTimedRetryPolicy = (repeatability: Repeatability, pace: Pace = {}): JsonObject => ({
  ...buildRetryPolicy(repeatability, pace),
  ...(pace.timeoutMs === undefined ? {} : { per_try_timeout: milliseconds(pace.timeoutMs) }),
});

/**
 * The `priority` of a route, by which Envoy chooses between the two budgets of the cluster (protection.ts); it means
 * nothing else to Envoy than limits and connections that are counted apart.
 */
export const buildPriority = ({ retries }: AdaptiveSettings = {}, pace: Pace = {}): JsonObject =>
  retries === undefined || pace.budgetPercent === undefined || pace.budgetPercent >= retries.budgetPercent.max
    ? {}
    : { priority: 'HIGH' };
