// Headers a secret may be sent in, and those that somebody else gives a meaning to.

import { describe, expect, it } from 'vitest';
import { SECRET_HEADER_PATTERN } from '#core/secret-header.ts';

const isSecretHeader = (name: string): boolean => new RegExp(SECRET_HEADER_PATTERN).test(name);

describe('SECRET_HEADER_PATTERN', () => {
  it.each([
    'x-api-key',
    'api-key',
    'apikey',
    'private-token',
    'x-vault-token',
    'dd-api-key',
    'client-secret',
  ])('takes %s', (name) => {
    expect(isSecretHeader(name)).toBe(true);
  });

  it.each([
    'authorization',
    'X-Api-Key',
    'x-mcpgw-token',
    'x-envoy-token',
    'x-forwarded-access-token',
    'x-auth-request-access-token',
    'x-amzn-oidc-accesstoken',
    'x-ms-token-aad-access-token',
    'x-goog-api-key',
    'cf-access-token',
    'proxy-token',
    'sec-websocket-key',
    'mcp-token',
    'idempotency-key',
    'cookie',
    'host',
    'te',
    'connection',
    'transfer-encoding',
    'content-length',
    'x-request-id',
    'mcp-session-id',
    ':path-key',
    'x--key',
    '-key',
    'x-api-key ',
    'x-api-key\n',
    'x_api_key',
    'key\r\nx-evil: token',
    `${'a'.repeat(62)}key`,
  ])('refuses %j', (name) => {
    expect(isSecretHeader(name)).toBe(false);
  });
});
