// CORS for web clients of allowed origins. Tokens travel in a header the page itself sets, so no credentials mode is
// ever offered and no origin is ever answered with a wildcard on an MCP path.

import type { Answer, Deny } from '#core/decision.ts';
import { ENDPOINT_METHODS } from '#core/endpoint-path.ts';
import { err, ok, type Result } from '#core/result.ts';
import type { HttpRequest } from '#ext-authz/request/from-check-request.ts';
import { judgeOrigin } from '#ext-authz/request/origin.ts';

/** Response headers by lower-case name. */
export type CorsHeaders = Readonly<Record<string, string>>;

const ALLOWED_HEADERS = [
  'accept',
  'authorization',
  'content-type',
  'dpop',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
];
const PARAMETER_HEADER = /^mcp-param-[a-z0-9-]{1,64}$/;
const MAX_PARAMETER_HEADERS = 32;
const PREFLIGHT_AGE_SECONDS = 600;

const VARY = { vary: 'Origin' } as const;

/** Headers every answer to an allowed origin carries, refusals included: a page must be able to read its challenge. */
export const corsHeaders = (origin: string): CorsHeaders => ({
  'access-control-allow-origin': origin,
  'access-control-expose-headers': 'Mcp-Session-Id, WWW-Authenticate, Retry-After, X-Request-Id',
  ...VARY,
});

// `Mcp-Param-*` names come from tools, so they cannot be listed: those that are asked for and have the form are allowed.
const parameterHeaders = (headers: HttpRequest['headers']): readonly string[] =>
  (headers.get('access-control-request-headers') ?? [])
    .flatMap((line) => line.split(','))
    .map((name) => name.trim().toLowerCase())
    .filter((name) => PARAMETER_HEADER.test(name))
    .slice(0, MAX_PARAMETER_HEADERS);

/** The 204 of a preflight from an allowed origin (Fetch §3.2.3), or origin_forbidden. */
export const answerPreflight = (
  request: Pick<HttpRequest, 'headers'>,
  allowedOrigins: readonly string[],
): Result<Answer, Deny> => {
  const origin = judgeOrigin(request, allowedOrigins);
  if (!origin.ok) return err(origin.error);
  return ok({
    kind: 'answer',
    status: 204,
    headers: {
      ...(origin.value === undefined ? VARY : corsHeaders(origin.value)),
      'access-control-allow-methods': ENDPOINT_METHODS,
      'access-control-allow-headers': [...ALLOWED_HEADERS, ...parameterHeaders(request.headers)].join(', '),
      'access-control-max-age': String(PREFLIGHT_AGE_SECONDS),
    },
    body: '',
  });
};
