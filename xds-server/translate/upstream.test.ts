// Unit tests of upstream.ts.

import { describe, expect, it } from 'vitest';
import type { ServerVersion } from '#core/server.ts';
import { parseUpstream } from '#xds-server/translate/upstream.ts';

const versionAt = (...endpoints: string[]): ServerVersion => ({
  version: '1',
  endpoints,
  transport: 'streamable-http',
  protocolVersions: [],
  tools: [],
});

describe('parseUpstream()', () => {
  it('reads host, port and path, with the default port left out of the authority', () => {
    const parsed = parseUpstream(versionAt('https://A.example/mcp', 'http://[::1]:9000/mcp'));
    expect(parsed).toEqual({
      ok: true,
      value: {
        path: '/mcp',
        settings: {},
        endpoints: [
          { url: 'https://A.example/mcp', authority: 'a.example', host: 'a.example', port: 443, tls: true },
          { url: 'http://[::1]:9000/mcp', authority: '[::1]:9000', host: '::1', port: 9000, tls: false },
        ],
      },
    });
  });

  it.each([
    ['no endpoint', [], 'there is no endpoint'],
    ['text that is no URL', ['nonsense'], 'not a URL'],
    ['another scheme', ['ftp://a.example/'], 'neither https nor http'],
    ['credentials', ['https://u:p@a.example/'], 'credentials'],
    ['a query', ['https://a.example/?k=1'], 'query'],
    ['a fragment', ['https://a.example/#x'], 'fragment'],
    ['paths that differ', ['https://a.example/x', 'https://b.example/y'], 'differ in their paths'],
  ])('refuses %s', (_, endpoints, fault) => {
    const parsed = parseUpstream(versionAt(...endpoints));
    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? '' : parsed.error).toContain(fault);
  });
});
