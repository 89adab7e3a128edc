// Unit tests of access-log-service.ts.

import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { loadService } from '#protos/service.ts';
import { statusClassesOf } from '#xds-server/access-log-service.ts';

const method = loadService('envoy.service.accesslog.v3.AccessLogService')['StreamAccessLogs'];

const entry = (status: number | undefined) => ({
  common_properties: { response_code_details: 'via_upstream', sample_rate: 1 },
  request: { path: '/t/a/mcp/b', request_headers: { a: 'b' } },
  response: status === undefined ? null : { response_code: { value: status }, response_body_bytes: '12' },
});

const messageOf = (...statuses: (number | undefined)[]): Uint8Array =>
  method?.requestSerialize({
    identifier: { node: { id: 'n' }, log_name: 'mcpgw' },
    http_logs: { log_entry: statuses.map(entry) },
  }) ?? new Uint8Array();

describe('statusClassesOf()', () => {
  it('reads the status of every entry and nothing else', () => {
    expect(statusClassesOf(messageOf(200, 204, 404, 503, 302, 101))).toEqual([
      '2xx',
      '2xx',
      '4xx',
      '5xx',
      '3xx',
      '1xx',
    ]);
  });

  it('counts a request that ended without a status', () => {
    expect(statusClassesOf(messageOf(undefined, 0))).toEqual(['none', 'none']);
  });

  it('finds nothing in a message without HTTP entries', () => {
    expect(statusClassesOf(new Uint8Array())).toEqual([]);
  });

  it('refuses what is no protobuf', () => {
    const broken = protobuf.Writer.create()
      .uint32((2 << 3) | 2)
      .uint32(99)
      .finish();
    expect(() => statusClassesOf(broken)).toThrow();
  });
});
