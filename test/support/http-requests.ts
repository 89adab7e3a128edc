// HttpRequests as the parser gets them from Envoy, well-formed unless a test changes one thing.

import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';

export const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';
export const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities';
export const META = { [VERSION_KEY]: '2026-07-28', [CAPABILITIES_KEY]: {} };

/** A header set to null is left out; one set to a list stands on several lines. */
export type HeaderChanges = Readonly<Record<string, string | readonly string[] | null>>;

const headerMap = (headers: HeaderChanges): Map<string, readonly string[]> => {
  const map = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== null) map.set(name, typeof value === 'string' ? [value] : value);
  }
  return map;
};

export const httpRequest = (
  method: string,
  headers: HeaderChanges,
  body: string | Uint8Array = '',
  change: Partial<HttpRequest> = {},
): HttpRequest => ({
  method,
  authority: 'gw.example',
  path: '/t/default/mcp/tracker',
  query: '',
  headers: headerMap(headers),
  body: Buffer.from(body),
  requestId: 'r-1',
  clientAddress: '192.0.2.1',
  context: { tenantId: 'default', serverId: 'tracker' },
  ...change,
});

const text = (body: unknown): string | Uint8Array =>
  typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);

const POST_HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
};

/** A POST of 2025-11-25; a body that is neither text nor bytes is written as JSON. */
export const legacyPost = (
  body: unknown,
  headers: HeaderChanges = {},
  change: Partial<HttpRequest> = {},
): HttpRequest =>
  httpRequest(
    'POST',
    { ...POST_HEADERS, 'mcp-protocol-version': '2025-11-25', ...headers },
    text(body),
    change,
  );

/** A POST of 2026-07-28 with its mirrored headers, which the changes may break. */
export const statelessPost = (
  message: { method: string; params?: Record<string, unknown>; [member: string]: unknown },
  headers: HeaderChanges = {},
): HttpRequest => {
  const name = message.params?.['name'] ?? message.params?.['uri'];
  return httpRequest(
    'POST',
    {
      ...POST_HEADERS,
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': message.method,
      ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
      ...headers,
    },
    JSON.stringify({ jsonrpc: '2.0', id: 7, ...message, params: { _meta: META, ...message.params } }),
  );
};
