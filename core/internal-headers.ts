// Headers that carry the gateway's own facts between Envoy's filters and routes. A client that sends one is not
// believed: Envoy removes the whole prefix at entry, before any filter runs.

export const INTERNAL_HEADER_PREFIX = 'x-mcpgw-';

/** Chosen by ext-authz on every allowed call, matched exactly by Envoy's routes. */
export const VERSION_HEADER = 'x-mcpgw-version';

/** `address:port` of the replica that holds the caller's session, out of the sealed session id; Envoy goes there and nowhere else while it is there. */
export const HOST_HEADER = 'x-mcpgw-host';

/**
 * The sealed id of a session that was just made, from ext-proc to the filter that renames it. On an answer; no upstream can
 * say it: routes take it off before ext-proc sees the answer.
 */
export const SEALED_SESSION_HEADER = 'x-mcpgw-session';

/** What consistent hashing goes by, where it is not a header of the client's own. */
export const HASH_HEADER = 'x-mcpgw-hash';

/** `RETRY_SAFE`: a second run does no harm, so Envoy may try again after the call may have run. Absent: it must not. */
export const RETRY_HEADER = 'x-mcpgw-retry';
export const RETRY_SAFE = 'safe';

/** Correlates the client's answer, our decision log and Envoy's access log. */
export const REQUEST_ID_HEADER = 'x-request-id';
