// Unit tests of log-entry.ts, on messages the proto definitions themselves wrote.

import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { loadService } from '#protos/service.ts';
import { logEntriesOf } from '#xds-server/figures/log-entry.ts';

const method = loadService('envoy.service.accesslog.v3.AccessLogService')['StreamAccessLogs'];

const messageOf = (...entries: object[]): Uint8Array =>
  method?.requestSerialize({
    identifier: { node: { id: 'n' }, log_name: 'mcpgw' },
    http_logs: { log_entry: entries },
  }) ?? new Uint8Array();

const socket = (address: string, port_value: number) => ({ socket_address: { address, port_value } });

const whole = {
  common_properties: {
    sample_rate: 1,
    downstream_remote_address: socket('203.0.113.9', 4711),
    start_time: { seconds: '1790000000', nanos: 1 },
    time_to_first_upstream_tx_byte: { nanos: 8_500_000 },
    time_to_first_upstream_rx_byte: { seconds: '2', nanos: 250_000_000 },
    duration: { seconds: '300', nanos: 1_000_000 },
    upstream_remote_address: socket('192.0.2.7', 8443),
    upstream_local_address: socket('192.0.2.1', 5),
    upstream_cluster: 'mcp.acme.files.1.0.0',
    response_flags: { upstream_retry_limit_exceeded: true },
    metadata: { filter_metadata: { a: { fields: { b: { stringValue: 'c' } } } } },
    upstream_request_attempt_count: 3,
    stream_id: 'x',
    access_log_type: 'DownstreamEnd',
  },
  protocol_version: 'HTTP11',
  request: { request_method: 'POST', path: '/t/acme/mcp/files', request_headers: { a: 'b' } },
  response: {
    response_code: { value: 200 },
    response_body_bytes: '12',
    response_code_details: 'via_upstream',
  },
};

const only = (entry: object) => logEntriesOf(messageOf(entry))[0];
const flagged = (flag: string) => only({ common_properties: { response_flags: { [flag]: true } } });

describe('logEntriesOf()', () => {
  it('reads what a call says of its upstream, and steps over the rest', () => {
    expect(only(whole)).toEqual({
      level: 'call',
      isPost: true,
      status: 200,
      isUpstreamAnswer: true,
      cluster: 'mcp.acme.files.1.0.0',
      address: '192.0.2.7:8443',
      timedOut: false,
      failed: false,
      abandoned: false,
      sentMs: 8.5,
      firstByteMs: 2_250,
      endedMs: 300_001,
      attempts: 3,
    });
  });

  it('tells attempts from calls, and what has not ended from both', () => {
    const levelOf = (access_log_type: string) => only({ common_properties: { access_log_type } })?.level;
    expect(['UpstreamEnd', 'DownstreamEnd', 'DownstreamPeriodic', 'NotSet'].map(levelOf)).toEqual([
      'attempt',
      'call',
      'other',
      'other',
    ]);
  });

  it('writes addresses as endpoints are named', () => {
    const addressed = (address: object) =>
      only({ common_properties: { upstream_remote_address: address } })?.address;
    expect(addressed(socket('2001:db8::1', 80))).toBe('[2001:db8::1]:80');
    expect(addressed({ pipe: { path: '/run/x.sock' } })).toBe('');
    expect(only({})?.address).toBe('');
  });

  it('reads why a call ended', () => {
    for (const flag of ['upstream_request_timeout', 'stream_idle_timeout'])
      expect(flagged(flag), flag).toMatchObject({ timedOut: true, failed: false, abandoned: false });
    for (const flag of [
      'no_healthy_upstream',
      'upstream_remote_reset',
      'upstream_connection_failure',
      'upstream_connection_termination',
      'upstream_overflow',
      'upstream_protocol_error',
    ])
      expect(flagged(flag), flag).toMatchObject({ timedOut: false, failed: true, abandoned: false });
    for (const flag of ['downstream_connection_termination', 'downstream_remote_reset'])
      expect(flagged(flag), flag).toMatchObject({ timedOut: false, failed: false, abandoned: true });
    for (const flag of ['rate_limited', 'no_route_found', 'local_reset', 'no_cluster_found'])
      expect(flagged(flag), flag).toMatchObject({ timedOut: false, failed: false, abandoned: false });
  });

  it('keeps the order of entries, and knows a request without a status', () => {
    const codes = [200, 503].map((value) => ({ response: { response_code: { value } } }));
    const statuses = logEntriesOf(messageOf(...codes, { response: null }, whole)).map(({ status }) => status);
    expect(statuses).toEqual([200, 503, 0, 200]);
  });

  it('finds nothing in a message without HTTP entries', () => {
    expect(logEntriesOf(new Uint8Array())).toEqual([]);
  });

  it('refuses what is no protobuf', () => {
    const cut = messageOf(whole).subarray(0, -7);
    const long = protobuf.Writer.create()
      .uint32((2 << 3) | 2)
      .uint32(99)
      .finish();
    for (const broken of [cut, long]) expect(() => logEntriesOf(broken)).toThrow();
  });
});
