// Headers of an answer that a server's settings may change, add or fill: not those by which HTTP frames it, by which a
// client knows what it holds, signs in or is led on, nor those of Envoy, MCP or the gateway.

/** RFC 9110 §7.6.1 (hop by hop), §6.6 (framing), what a client acts upon, and `server`, which Envoy writes behind every filter. */
const KEPT: ReadonlySet<string> = new Set([
  'age',
  'alt-svc',
  'cache-control',
  'clear-site-data',
  'connection',
  'date',
  'expires',
  'host',
  'keep-alive',
  'last-event-id',
  'location',
  'pragma',
  'proxy-connection',
  'refresh',
  'retry-after',
  'server',
  'set-cookie',
  'set-cookie2',
  'strict-transport-security',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'vary',
  'www-authenticate',
  'x-request-id',
]);

const KEPT_PREFIXES = [
  ':',
  'access-control-',
  'content-',
  'mcp-',
  'proxy-auth',
  'x-envoy-',
  'x-mcp-',
  'x-mcpgw-',
] as const;

/** @param name in lower case. */
export const isFreeHeader = (name: string): boolean =>
  !KEPT.has(name) && !KEPT_PREFIXES.some((prefix) => name.startsWith(prefix));
