// The response guard: answers pass ext-proc, except where ext-authz said that nothing in them is to be judged. What
// decides that is metadata only ext-authz can write; no client and no upstream has a say. Fails closed.

import type { JsonObject } from '#core/json.ts';
import { typedMessage, typedStruct } from '#protos/typed-struct.ts';
import { extAuthz } from '#xds-server/filters/ext-authz.ts';
import { envoyGrpc, type HttpFilter } from '#xds-server/filters/filter.ts';
import { JUDGED_KEY, JUDGED_NAMESPACE } from '#xds-server/filters/judged-mark.ts';

const NAME = 'envoy.filters.http.ext_proc';

/** Envoy's attribute; comes with the response's headers. */
const UPSTREAM_ADDRESS = 'upstream.address';

/** Longest wait for one answer of ext-proc; cutting the longest list takes some hundred milliseconds. */
export const MESSAGE_TIMEOUT = '5s';

/** It cuts answers and says so in their headers; it neither signs in, leads on, nor opens another protocol. */
const WHAT_IT_MAY_CHANGE: JsonObject = {
  disallow_system: true,
  disallow_expression: { regex: 'set-cookie|www-authenticate|location|transfer-encoding|connection|upgrade' },
  disallow_is_error: true,
};

// TypedStruct: both types are newer than the npm protos.
const metadataIs = (filter: string, key: string, value: JsonObject): JsonObject => ({
  single_predicate: {
    input: {
      name: 'metadata',
      typed_config: typedStruct('envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput', {
        filter,
        path: [{ key }],
      }),
    },
    custom_match: {
      name: 'value',
      typed_config: typedStruct('envoy.extensions.matching.input_matchers.metadata.v3.Metadata', { value }),
    },
  },
});

const guardIs = (value: string): JsonObject =>
  metadataIs(extAuthz.name, 'guard', { string_match: { exact: value } });

/** True where a filter has written a member of its metadata. */
export const metadataHas = (filter: string, key: string): JsonObject =>
  metadataIs(filter, key, { present_match: true });

const wasJudged = metadataHas(JUDGED_NAMESPACE, JUDGED_KEY);

// Exact on purpose: `application/json; charset=utf-8` and anything unusual take the hop.
const isPlainJson: JsonObject = {
  single_predicate: {
    input: {
      name: 'content-type',
      typed_config: typedMessage('envoy.type.matcher.v3.HttpResponseHeaderMatchInput', {
        header_name: 'content-type',
      }),
    },
    value_match: { exact: 'application/json' },
  },
};

/** The action of a matcher by which a filter is left out. */
export const skip: JsonObject = {
  action: {
    name: 'skip',
    typed_config: typedMessage('envoy.extensions.filters.common.matcher.action.v3.SkipFilter', {}),
  },
};

const processor: JsonObject = {
  name: NAME,
  // TypedStruct: status_on_error is newer than the npm protos.
  typed_config: typedStruct('envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor', {
    grpc_service: envoyGrpc('ext-proc'),
    failure_mode_allow: false,
    status_on_error: { code: 'BadGateway' },
    message_timeout: MESSAGE_TIMEOUT,
    // The body mode follows from the response's headers, so ext-proc names it in its answer to them.
    allow_mode_override: true,
    processing_mode: {
      request_header_mode: 'SKIP',
      request_body_mode: 'NONE',
      request_trailer_mode: 'SKIP',
      response_header_mode: 'SEND',
      response_body_mode: 'NONE',
      response_trailer_mode: 'SKIP',
    },
    mutation_rules: WHAT_IT_MAY_CHANGE,
    // The replica that answered: a session is sealed with it.
    response_attributes: [UPSTREAM_ADDRESS],
    metadata_options: { forwarding_namespaces: { untyped: [extAuthz.name] } },
  }),
};

export const extProc: HttpFilter = {
  name: NAME,
  listenerPart: () =>
    typedMessage('envoy.extensions.common.matching.v3.ExtensionWithMatcher', {
      extension_config: processor,
      xds_matcher: {
        matcher_list: {
          matchers: [
            // A stream takes the hop even with nothing to judge: it is how an operator can end it.
            { predicate: { and_matcher: { predicate: [guardIs('off'), isPlainJson] } }, on_match: skip },
            // What ext-authz did not let pass is answered by Envoy itself: unknown paths, bodies over the limit,
            // ext-authz away. There are no orders for it, and without orders ext-proc refuses.
            { predicate: { not_matcher: wasJudged }, on_match: skip },
            // Envoy would send its own refusal through ext-proc, and with ext-proc down a 403 became a 500.
            { predicate: guardIs('denied'), on_match: skip },
          ],
        },
      },
    }),
};
