// The opening of a WebSocket (RFC 6455 §4.1): a GET without a body that names the protocol. Envoy takes any request with
// these two headers for one, whatever its method, and then shows us no body: what is not exactly this is refused.

import { type Deny, deny } from '#core/decision.ts';
import type { McpCall } from '#core/mcp-call.ts';
import { err, ok, type Result } from '#core/result.ts';
import { judgeNoBody } from '#ext-authz/request/body.ts';
import { revisionOfHeader } from '#ext-authz/request/era.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { judgeMirroredHeaders } from '#ext-authz/request/mirrored-headers.ts';

const PROTOCOL = 'websocket';
const VERSION = '13';
/** Sixteen bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;

/** True for every request that wants to go on in another protocol, well-formed or not. */
export const asksForUpgrade = ({ headers }: Pick<HttpRequest, 'headers'>): boolean => headers.has('upgrade');

const isOnly = (headers: HttpRequest['headers'], name: string, fits: (value: string) => boolean): boolean => {
  const [value, ...more] = headers.get(name) ?? [];
  return value !== undefined && more.length === 0 && fits(value.trim());
};

const findFault = ({ method, headers }: HttpRequest): string | undefined => {
  if (method !== 'GET' || !isOnly(headers, 'upgrade', (value) => value.toLowerCase() === PROTOCOL))
    return 'upgrade';
  if (!isOnly(headers, 'sec-websocket-version', (value) => value === VERSION)) return 'sec-websocket-version';
  if (!isOnly(headers, 'sec-websocket-key', (value) => KEY.test(value))) return 'sec-websocket-key';
  // Sessions are Streamable HTTP's; the connection is this one's.
  return ['mcp-session-id', 'last-event-id'].find((name) => headers.has(name));
};

/** The upgrade as a call, or header_invalid, jsonrpc_invalid (a body), protocol_version_unsupported, header_mismatch. */
export const parseUpgrade = (request: HttpRequest): Result<McpCall, Deny> => {
  const field = findFault(request);
  if (field !== undefined) return err(deny('header_invalid', { public: { field } }));
  const { headers } = request;
  const revision = revisionOfHeader(headers);
  if (!revision.ok) return revision;
  const fault = judgeNoBody(request) ?? judgeMirroredHeaders(headers, { required: false });
  if (fault !== undefined) return err(fault);
  return ok({ kind: 'upgrade', ...revision.value, targets: [], arguments: {}, params: {} });
};
