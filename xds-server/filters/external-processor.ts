// An ext_proc filter of ours, whatever it looks at: the same service, closed where it fails, and left out where a matcher
// says so by metadata that only our own filters write.

import type { JsonObject } from '#core/json.ts';
import { type TypedMessage, typedMessage, typedStruct } from '#protos/typed-struct.ts';
import { extAuthz } from '#xds-server/filters/ext-authz.ts';
import { envoyGrpc } from '#xds-server/filters/filter.ts';

/** Longest wait for one answer of ext-proc; cutting the longest list takes some hundred milliseconds. */
const MESSAGE_TIMEOUT = '5s';

/** What a filter does not name it does not look at. */
const NOTHING: JsonObject = {
  request_header_mode: 'SKIP',
  request_body_mode: 'NONE',
  request_trailer_mode: 'SKIP',
  response_header_mode: 'SKIP',
  response_body_mode: 'NONE',
  response_trailer_mode: 'SKIP',
};

// TypedStruct: status_on_error is newer than the npm protos.
const processorOf = (looksAt: JsonObject, more: JsonObject): TypedMessage =>
  typedStruct('envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor', {
    grpc_service: envoyGrpc('ext-proc'),
    failure_mode_allow: false,
    status_on_error: { code: 'BadGateway' },
    message_timeout: MESSAGE_TIMEOUT,
    processing_mode: { ...NOTHING, ...looksAt },
    metadata_options: { forwarding_namespaces: { untyped: [extAuthz.name] } },
    ...more,
  });

const SKIP: JsonObject = {
  action: {
    name: 'skip',
    typed_config: typedMessage('envoy.extensions.filters.common.matcher.action.v3.SkipFilter', {}),
  },
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

/** True where a filter has written a member of its metadata. */
export const metadataHas = (filter: string, key: string): JsonObject =>
  metadataIs(filter, key, { present_match: true });

/** True where the orders of ext-authz name this mode. */
export const guardIs = (value: string): JsonObject =>
  metadataIs(extAuthz.name, 'guard', { string_match: { exact: value } });

/**
 * @param filter.skippedIf predicates of which any leaves the filter out.
 * @param filter.looksAt modes by part of the call; a part that is not named is not looked at.
 */
export const externalProcessor = (filter: {
  readonly name: string;
  readonly looksAt: JsonObject;
  readonly more: JsonObject;
  readonly skippedIf: readonly JsonObject[];
}): TypedMessage =>
  typedMessage('envoy.extensions.common.matching.v3.ExtensionWithMatcher', {
    extension_config: { name: filter.name, typed_config: processorOf(filter.looksAt, filter.more) },
    xds_matcher: {
      matcher_list: {
        matchers: filter.skippedIf.map((predicate) => ({ predicate, on_match: SKIP })),
      },
    },
  });
