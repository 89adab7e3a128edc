// Headers that carry the gateway's own facts between Envoy's filters and routes. A client that sends one is not
// believed: Envoy removes the whole prefix at entry, before any filter runs.

export const INTERNAL_HEADER_PREFIX = 'x-mcpgw-';

/** Chosen by ext-authz on every allowed call, matched exactly by Envoy's routes. */
export const VERSION_HEADER = 'x-mcpgw-version';

/** Correlates the client's answer, our decision log and Envoy's access log. */
export const REQUEST_ID_HEADER = 'x-request-id';
