// Envoy's own refusals as the JSON-RPC errors an MCP client understands. What Envoy knows about the cause
// (addresses, clusters, filters) stays in its log; of a call that was judged, the client hears which server failed.

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

const matches = (expression: string): JsonObject => ({
  extension_filter: {
    name: 'envoy.access_loggers.extension_filters.cel',
    typed_config: typedMessage('envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter', {
      expression,
    }),
  },
});

const detailsAre = (details: string): JsonObject => matches(`response.code_details == '${details}'`);
const detailsBegin = (details: string): JsonObject =>
  matches(`response.code_details.startsWith('${details}')`);

/** Any of these response flags (as the access log spells them). */
const flagged = (...flags: readonly string[]): JsonObject => ({ response_flag_filter: { flags } });

const both = (...filters: readonly JsonObject[]): JsonObject => ({ and_filter: { filters } });

/** Text in a format string; a percent sign would start a command. */
const literal = (text: string): string => text.replaceAll('%', '%%');

const judged = (field: string): string => `%DYNAMIC_METADATA(${extAuthz.name}:${field})%`;

const jsonRpcError = (reason: Reason, data: JsonObject): JsonObject => {
  const { jsonRpcCode, sentence, remedy } = describeReason(reason);
  return {
    content_type: 'application/json',
    json_format: {
      jsonrpc: '2.0',
      // Known once ext-authz has read the call; null before, as JSON-RPC 2.0 §5 wants it.
      id: judged('jsonRpcId'),
      error: {
        code: jsonRpcCode,
        message: literal(sentence),
        data: { reason, remedy, ...data, requestId: '%REQ(X-REQUEST-ID)%' },
      },
    },
  };
};

const answered = (filter: JsonObject, reason: Reason): JsonObject => ({
  filter,
  body_format_override: jsonRpcError(reason, {}),
});

/** For what can only happen to a call that ext-authz let pass: who is asked about it must know which server it was. */
const answeredFor = (filter: JsonObject, reason: Reason): JsonObject => ({
  filter,
  body_format_override: jsonRpcError(reason, { tenant: judged('tenantId'), server: judged('serverId') }),
});

/** With the status that the reason has, whatever Envoy's own would be. */
const withStatusOf = (reason: Reason, mapper: JsonObject): JsonObject => ({
  ...mapper,
  status_code: describeReason(reason).httpStatus,
});

/** Written by the services themselves, whatever the status. Their failures have no body and come further down. */
const OWN_WORDS: readonly JsonObject[] = [
  { filter: detailsAre('ext_authz_denied') },
  // The details ext-proc sends (ext-proc/wire/to-processing-response.ts).
  { filter: detailsAre('mcpgw_answer_refused') },
];

const OF_THE_REQUEST: readonly JsonObject[] = [
  answered(statusIs('EQ', 404), 'endpoint_unknown'),
  answered(statusIs('EQ', 405), 'http_method_not_allowed'),
  answered(statusIs('EQ', 408), 'body_incomplete'),
  answered(statusIs('EQ', 413), 'body_too_large'),
  answered(statusIs('EQ', 426), 'http_version_unsupported'),
  answered(statusIs('EQ', 429), 'rate_limited'),
  answered(statusIs('EQ', 431), 'headers_too_large'),
];

const OF_THE_GATEWAY: readonly JsonObject[] = [
  answered(detailsAre('overload'), 'gateway_overloaded'),
  answered(both(statusIs('EQ', 503), detailsAre('ext_authz_error')), 'policy_failed'),
  // ext-authz named a version that this Envoy does not have, or has no cluster for yet.
  answeredFor(both(statusIs('EQ', 503), detailsAre('direct_response')), 'version_unavailable'),
  answeredFor(flagged('NC'), 'version_unavailable'),
  // Also where it took too long, which Envoy calls 504 whatever it is told: that is no silence of the server.
  withStatusOf('answer_refused', answeredFor(detailsBegin('ext_proc'), 'answer_refused')),
];

const OF_THE_SERVER: readonly JsonObject[] = [
  answeredFor(flagged('UO'), 'upstream_overloaded'),
  answeredFor(flagged('UH', 'UF'), 'upstream_unavailable'),
  answeredFor(flagged('UPE'), 'answer_refused'),
  answeredFor(flagged('UC', 'UR', 'LR'), 'upstream_broke_off'),
  answeredFor(statusIs('EQ', 504), 'upstream_timeout'),
  answeredFor(statusIs('EQ', 502), 'answer_refused'),
];

/** `local_reply_config` of the connection manager; the first match wins. */
export const LOCAL_REPLIES: JsonObject = {
  mappers: [
    ...OWN_WORDS,
    ...OF_THE_REQUEST,
    ...OF_THE_GATEWAY,
    ...OF_THE_SERVER,
    answered(statusIs('GE', 500), 'internal_error'),
    answered(statusIs('GE', 400), 'header_invalid'),
  ],
};
