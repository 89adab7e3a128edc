// Which request header a server's static secret may be sent in.

/**
 * Names that end in key, token or secret, in lower case: what servers read secrets from (`x-api-key`, `private-token`).
 * None that Envoy, a proxy, a platform or MCP itself gives a meaning to, or that ext-authz takes off the caller.
 */
export const SECRET_HEADER_PATTERN =
  '^(?!(?:x-mcpgw|x-envoy|x-forwarded|x-auth-request|x-amzn|x-amz|x-goog|x-ms|cf|proxy|sec|mcp|idempotency)-)(?=.{3,64}$)(?:[a-z0-9]+-)*[a-z0-9]*(?:key|token|secret)$';
