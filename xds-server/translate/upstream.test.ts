// Unit tests of upstream.ts, and of what a transport makes of a cluster.

import { describe, expect, it } from 'vitest';
import type { ServerVersion } from '#core/server.ts';
import { serverOf } from '#test/support/xds-world.ts';
import { buildProtocolOptions } from '#xds-server/translate/connections.ts';
import { buildHealthChecks } from '#xds-server/translate/health-checks.ts';
import { parseUpstream } from '#xds-server/translate/upstream.ts';

const versionAt = (...endpoints: string[]): ServerVersion => ({
  version: '1',
  endpoints,
  transport: 'streamable-http',
  protocolVersions: [],
  tools: [],
});

const parse = (version: ServerVersion) => parseUpstream('acme', serverOf('files', {}), version);

describe('parseUpstream()', () => {
  it('reads host, port and path, with the default port left out of the authority', () => {
    const parsed = parse(versionAt('https://A.example/mcp', 'http://[::1]:9000/mcp'));
    expect(parsed).toEqual({
      ok: true,
      value: {
        path: '/mcp',
        transport: 'streamable-http',
        settings: {},
        secrets: [],
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
    const parsed = parse(versionAt(...endpoints));
    expect(parsed.ok).toBe(false);
    expect(parsed.ok ? '' : parsed.error).toContain(fault);
  });
});

describe('a version that is reached by WebSocket', () => {
  const settings = { connections: { maxRequestsPerConnection: 9 }, health: { kind: 'ping' } } as const;
  const upstream = parseUpstream(
    'acme',
    { ...serverOf('files', {}), upstream: settings },
    { ...versionAt('https://a.example/mcp'), transport: 'websocket' },
  );
  if (!upstream.ok) throw new Error(upstream.error);

  it('shares no connection and negotiates no HTTP/2, whatever else is set', () => {
    const options = JSON.stringify(buildProtocolOptions(upstream.value));
    expect(options).toContain('"max_requests_per_connection":1');
    expect(options).toContain('"explicit_http_config":{"http_protocol_options":{}}');
  });

  it('is not pinged by POST', () => {
    expect(buildHealthChecks(upstream.value)).toEqual({});
  });
});
