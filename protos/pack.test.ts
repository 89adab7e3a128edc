// Unit tests of pack.ts: what it writes can be read back, and what it does not understand it refuses by name.

import { describe, expect, it } from 'vitest';
import { GatewayError } from '#core/gateway-error.ts';
import type { JsonObject } from '#core/json.ts';
import { packMessage } from '#protos/pack.ts';
import { findMessageType } from '#protos/root.ts';
import { typedMessage, typedStruct } from '#protos/typed-struct.ts';

const CLUSTER = 'envoy.config.cluster.v3.Cluster';
const LISTENER = 'envoy.config.listener.v3.Listener';

const cluster = (fields: JsonObject) => packMessage(typedMessage(CLUSTER, fields));

const unpack = (type: string, bytes: Uint8Array): Record<string, unknown> => {
  const found = findMessageType(type);
  return found.toObject(found.decode(bytes), { enums: String, longs: Number, bytes: Buffer });
};

const faultOf = (work: () => unknown): string => {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return `${thrown.code} ${thrown.message}`;
  }
  return 'no fault';
};

describe('packMessage()', () => {
  it('writes scalars, enums, durations, wrappers and maps so that they read the same', () => {
    const fields = {
      name: 'a',
      type: 'EDS',
      connect_timeout: '1.5s',
      per_connection_buffer_limit_bytes: 32_768,
      circuit_breakers: { thresholds: [{ max_requests: 7, track_remaining: true }] },
    };
    expect(unpack(CLUSTER, cluster(fields).value)).toEqual({
      ...fields,
      connect_timeout: { seconds: 1, nanos: 500_000_000 },
      per_connection_buffer_limit_bytes: { value: 32_768 },
      circuit_breakers: {
        thresholds: [{ max_requests: { value: 7 }, track_remaining: true }],
      },
    });
  });

  it('writes nested messages of any type, and structs', () => {
    const inner = typedStruct('x.Y', { text: 'a', list: [1, null, true], object: { b: 'c' } });
    const packed = cluster({ name: 'a', typed_extension_protocol_options: { key: inner } });
    const { typed_extension_protocol_options: options } = unpack(CLUSTER, packed.value) as {
      typed_extension_protocol_options: { key: { type_url: string; value: Buffer } };
    };
    expect(options.key.type_url).toBe('type.googleapis.com/xds.type.v3.TypedStruct');
    expect(unpack('xds.type.v3.TypedStruct', options.key.value)).toEqual({
      type_url: 'type.googleapis.com/x.Y',
      value: {
        fields: {
          list: {
            listValue: { values: [{ numberValue: 1 }, { nullValue: 'NULL_VALUE' }, { boolValue: true }] },
          },
          object: { structValue: { fields: { b: { stringValue: 'c' } } } },
          text: { stringValue: 'a' },
        },
      },
    });
  });

  it('gives equal bytes for equal messages, whatever the order of their keys', () => {
    const metadata = (filter_metadata: JsonObject) => ({ name: 'a', metadata: { filter_metadata } });
    const one = cluster(metadata({ x: { a: 1, b: 2 }, y: {} }));
    const other = cluster(metadata({ y: {}, x: { b: 2, a: 1 } }));
    expect(one.value.equals(other.value)).toBe(true);
    const swapped = packMessage(typedMessage(CLUSTER, { type: 'EDS', name: 'a' }));
    expect(swapped.value.equals(cluster({ name: 'a', type: 'EDS' }).value)).toBe(true);
  });

  it.each<[string, JsonObject, string]>([
    ['an unknown field', { naem: 'a' }, 'Cluster has no field naem'],
    ['an unknown field further down', { circuit_breakers: { thresholds: [{ max: 1 }] } }, 'thresholds[0]'],
    ['a field of the prototype', JSON.parse('{"constructor": "a"}'), 'no field constructor'],
    ['the JSON spelling of a field', { connectTimeout: '1s' }, 'no field connectTimeout'],
    ['an enum value that is none', { type: 'ESD' }, 'Cluster.type: not a value of DiscoveryType'],
    ['an enum value by number', { type: 3 }, 'not a value of DiscoveryType'],
    ['a string that is none', { name: 1 }, 'expected a string'],
    ['a duration that is none', { connect_timeout: 5 }, 'expected a duration'],
    ['a number out of range', { per_connection_buffer_limit_bytes: -1 }, 'whole number of type uint32'],
    ['a fraction', { per_connection_buffer_limit_bytes: 1.5 }, 'whole number of type uint32'],
    ['an object in place of an array', { transport_socket_matches: {} }, 'expected an array'],
    ['an array in place of an object', { circuit_breakers: [] }, 'expected an object'],
    ['a type where none is asked for', { circuit_breakers: { '@type': 'x' } }, 'has no field @type'],
    ['null', { name: null }, 'expected a string'],
    ['two members of one oneof', { type: 'EDS', cluster_type: { name: 'x' } }, 'exclude each other'],
    ['a nested message without a type', { transport_socket: { name: 'x', typed_config: {} } }, '"@type"'],
    [
      'a nested message of an unknown type',
      { transport_socket: { name: 'x', typed_config: typedMessage('no.such.Type', {}) } },
      'no message type no.such.Type',
    ],
  ])('refuses %s', (_, fields, fault) => {
    const message = faultOf(() => cluster(fields));
    expect(message).toContain('codec_failed');
    expect(message).toContain(fault);
  });

  it('refuses a type URL of another authority', () => {
    expect(faultOf(() => packMessage({ '@type': `example.com/${CLUSTER}` }))).toContain('"@type"');
  });

  it('repeats no value in a fault', () => {
    const secret = 'do-not-print';
    const fields = { address: { socket_address: { address: '::', port_value: secret } } };
    expect(faultOf(() => packMessage(typedMessage(LISTENER, fields)))).not.toContain(secret);
  });
});
