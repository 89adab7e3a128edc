// Envoy's own refusals as the JSON-RPC errors an MCP client understands. What Envoy knows about the cause
// (addresses, clusters, filters) stays in its log.

import type { JsonObject } from '#core/json.ts';
import { describeReason, type Reason } from '#core/reason.ts';
import { typedMessage } from '#protos/typed-struct.ts';
import { extAuthz } from '#xds-server/filters/ext-authz.ts';

// The filter wants a runtime key; ours are never set.
const statusIs = (op: 'EQ' | 'GE', status: number): JsonObject => ({
  status_code_filter: {
    comparison: { op, value: { default_value: status, runtime_key: `mcpgw.local_reply.${status}` } },
  },
});

const detailsAre = (details: string): JsonObject => ({
  extension_filter: {
    name: 'envoy.access_loggers.extension_filters.cel',
    typed_config: typedMessage('envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter', {
      expression: `response.code_details == '${details}'`,
    }),
  },
});

const both = (...filters: readonly JsonObject[]): JsonObject => ({ and_filter: { filters } });

/** Text in a format string; a percent sign would start a command. */
const literal = (text: string): string => text.replaceAll('%', '%%');

const jsonRpcError = (reason: Reason): JsonObject => {
  const { jsonRpcCode, sentence, remedy } = describeReason(reason);
  return {
    content_type: 'application/json',
    json_format: {
      jsonrpc: '2.0',
      // Known once ext-authz has read the call; null before, as JSON-RPC 2.0 §5 wants it.
      id: `%DYNAMIC_METADATA(${extAuthz.name}:jsonRpcId)%`,
      error: {
        code: jsonRpcCode,
        message: literal(sentence),
        data: { reason, remedy, requestId: '%REQ(X-REQUEST-ID)%' },
      },
    },
  };
};

const answered = (filter: JsonObject, reason: Reason): JsonObject => ({
  filter,
  body_format_override: jsonRpcError(reason),
});

/** `local_reply_config` of the connection manager; the first match wins. */
export const LOCAL_REPLIES: JsonObject = {
  mappers: [
    // ext-authz writes its refusals itself, whatever their status. Its failures have no body and come further down.
    { filter: detailsAre('ext_authz_denied') },
    // So does ext-proc; the details are the ones it sends (ext-proc/wire/to-processing-response.ts).
    { filter: detailsAre('mcpgw_answer_refused') },
    answered(statusIs('EQ', 404), 'endpoint_unknown'),
    answered(statusIs('EQ', 408), 'body_incomplete'),
    answered(statusIs('EQ', 413), 'body_too_large'),
    answered(statusIs('EQ', 429), 'rate_limited'),
    answered(both(statusIs('EQ', 503), detailsAre('ext_authz_error')), 'policy_failed'),
    // The only direct 503 there is: ext-authz named a version that this Envoy does not have.
    answered(both(statusIs('EQ', 503), detailsAre('direct_response')), 'version_unavailable'),
    answered(statusIs('EQ', 503), 'upstream_unavailable'),
    answered(statusIs('EQ', 502), 'answer_refused'),
    answered(statusIs('EQ', 504), 'deadline_exceeded'),
    answered(statusIs('GE', 500), 'internal_error'),
    answered(statusIs('GE', 400), 'header_invalid'),
  ],
};
