// Drops trailers in both directions. MCP has none; ext-authz judges headers and body, and ext-proc the same of an answer,
// so what comes behind them was judged by nobody, and some servers merge it into the headers.

import { typedStruct } from '#protos/typed-struct.ts';
import type { HttpFilter } from '#xds-server/filters/filter.ts';

const ALL = [{ remove_on_match: { key_matcher: { safe_regex: { regex: '.*' } } } }];

export const stripTrailers: HttpFilter = {
  name: 'envoy.filters.http.header_mutation',
  // TypedStruct: mutations of request trailers are newer than the npm protos.
  listenerPart: () =>
    typedStruct('envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
      mutations: { request_trailers_mutations: ALL, response_trailers_mutations: ALL },
    }),
};
