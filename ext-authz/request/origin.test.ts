// Unit tests of origin.ts and document-endpoint.ts.
import { describe, expect, it } from 'vitest';
import { findDocumentEndpoint } from '#ext-authz/request/document-endpoint.ts';
import { isPreflight, judgeOrigin } from '#ext-authz/request/origin.ts';
import { httpRequest } from '#test/support/http-requests.ts';

const ALLOWED = ['https://app.example.com', 'null'];
const from = (origin: string | readonly string[]) => httpRequest('POST', { origin });

describe('judgeOrigin()', () => {
  it('lets clients pass that are no web pages', () => {
    expect(judgeOrigin(httpRequest('POST', {}), [])).toEqual({ ok: true, value: undefined });
  });

  it('yields the allowed origin', () => {
    expect(judgeOrigin(from('https://app.example.com'), ALLOWED)).toEqual({
      ok: true,
      value: 'https://app.example.com',
    });
  });

  it.each([
    'https://evil.example',
    'https://app.example.com.evil.example',
    'https://app.example.com:8443',
    'http://app.example.com',
    'https://app.example.com/',
    'HTTPS://APP.EXAMPLE.COM',
    ' https://app.example.com',
    'null',
    '*',
    '',
  ])('refuses %j', (origin) => {
    expect(judgeOrigin(from(origin), ALLOWED)).toMatchObject({
      ok: false,
      error: { reason: 'origin_forbidden' },
    });
  });

  it('refuses two origins, even if both are allowed', () => {
    const twice = from(['https://app.example.com', 'https://app.example.com']);
    expect(judgeOrigin(twice, ALLOWED)).toMatchObject({ error: { reason: 'origin_forbidden' } });
  });
});

describe('isPreflight()', () => {
  it('asks for both headers a browser sends', () => {
    const headers = { origin: 'https://a.example', 'access-control-request-method': 'POST' };
    expect(isPreflight(httpRequest('OPTIONS', headers))).toBe(true);
    expect(isPreflight(httpRequest('OPTIONS', { origin: 'https://a.example' }))).toBe(false);
    expect(isPreflight(httpRequest('POST', headers))).toBe(false);
  });
});

describe('findDocumentEndpoint()', () => {
  const ROOT = '/.well-known/oauth-protected-resource';

  it('finds the endpoint in the form the client used', () => {
    expect(findDocumentEndpoint(`${ROOT}/mcp/tracker`)).toEqual({
      ref: { tenantId: 'default', serverId: 'tracker' },
      path: '/mcp/tracker',
    });
    expect(findDocumentEndpoint(`${ROOT}/t/acme/mcp/files`)?.ref.tenantId).toBe('acme');
  });

  it.each(['', '/', '/mcp', '/mcp/tracker/', '/mcp/tracker%2f', '/t/Acme/mcp/x'])(
    'finds nothing at %j',
    (tail) => {
      expect(findDocumentEndpoint(`${ROOT}${tail}`)).toBeUndefined();
    },
  );

  it('finds nothing outside the well-known root', () => {
    expect(findDocumentEndpoint('/mcp/tracker')).toBeUndefined();
    expect(findDocumentEndpoint(`${ROOT}x/mcp/tracker`)).toBeUndefined();
  });
});
