// Unit tests of from-check-request.ts, from messages as proto-loader writes them.
import { describe, expect, it } from 'vitest';
import { requestFromCheckRequest } from '#ext-authz/request/from-check-request.ts';
import { checkRequestBytes } from '#test/support/check-codec.ts';

const header = (key: string, value: string) => ({ key, raw_value: Buffer.from(value, 'latin1') });
const HEADERS = [header(':method', 'POST'), header('x-request-id', 'abc-1')];

const read = (http: object, attributes: object = {}) =>
  requestFromCheckRequest(checkRequestBytes({ attributes: { request: { http }, ...attributes } }));

describe('requestFromCheckRequest()', () => {
  it('reads what Envoy sends with raw headers and a packed body', () => {
    const request = read(
      {
        id: '42',
        method: 'POST',
        path: '/mcp/tracker?a=1?2',
        header_map: { headers: [...HEADERS, header('Mcp-Name', 'a'), header('mcp-name', 'b\xff')] },
        raw_body: Buffer.from([0x7b, 0x7d, 0xff]),
      },
      {
        source: { address: { socket_address: { address: '192.0.2.7', port_value: 1 } } },
        context_extensions: { tenant: 'default', server: 'tracker' },
      },
    );
    expect(request).toMatchObject({
      method: 'POST',
      path: '/mcp/tracker',
      query: 'a=1?2',
      body: Buffer.from([0x7b, 0x7d, 0xff]),
      requestId: 'abc-1',
      clientAddress: '192.0.2.7',
      context: { tenantId: 'default', serverId: 'tracker' },
    });
    expect(request.headers.get('mcp-name')).toEqual(['a', 'b\xff']);
  });

  it('reads a request without body, peer address or context', () => {
    const request = read({ method: 'GET', path: '/x', header_map: { headers: HEADERS } });
    expect(request).toMatchObject({ path: '/x', query: '', clientAddress: '', context: {} });
    expect(request.body.length).toBe(0);
  });

  it.each([['two\nlines'], [''], ['x'.repeat(129)], ['"quoted"']])(
    'does not repeat the request id %j into logs',
    (id) => {
      const headers = [header(':method', 'GET'), header('x-request-id', id)];
      expect(read({ id: '42', header_map: { headers } }).requestId).toBe('stream-42');
    },
  );

  it.each([
    ['nothing at all', {}],
    ['no HTTP request', { attributes: { request: {} } }],
    ['joined headers only', { attributes: { request: { http: { headers: { ':method': 'POST' } } } } }],
    ['an empty header map', { attributes: { request: { http: { header_map: { headers: [] } } } } }],
  ])('throws on %s', (_what, message) => {
    expect(() => requestFromCheckRequest(checkRequestBytes(message))).toThrow(
      expect.objectContaining({ code: 'codec_failed' }),
    );
  });
});
