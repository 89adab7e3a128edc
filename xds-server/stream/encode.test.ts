// Unit tests of encode.ts: what is put together of shared parts is what the gRPC library reads, whatever is in it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadService } from '#protos/service.ts';
import { modelResource } from '#test/support/xds-model-envoy.ts';
import { RESOURCE_KINDS, TYPE_URLS } from '#xds-server/resource-kind.ts';
import { encodeDelta, encodeSotw } from '#xds-server/stream/encode.ts';

const service = loadService('envoy.service.discovery.v3.AggregatedDiscoveryService');
const deserialize = (method: string) => {
  const found = service[method]?.responseDeserialize;
  if (found === undefined) throw new Error('no such method');
  return found as (bytes: Buffer) => Record<string, unknown>;
};
const readDelta = deserialize('DeltaAggregatedResources');
const readSotw = deserialize('StreamAggregatedResources');

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 120, maxLength: 300 }));
const resource = fc
  .record({ name: text, version: text, typeUrl: text, value: fc.uint8Array({ maxLength: 40_000 }) })
  .map(({ name, version, typeUrl, value }) => ({
    ...modelResource(name, version),
    any: { type_url: typeUrl, value: Buffer.from(value) },
  }));
const told = fc.record({
  kind: fc.constantFrom(...RESOURCE_KINDS),
  nonce: text,
  sequence: fc.nat(),
  resources: fc.array(resource, { maxLength: 4 }),
  removed: fc.array(text, { maxLength: 4 }),
});

describe('encoded responses', () => {
  it('are read as what was told, delta', () => {
    fc.assert(
      fc.property(told, (one) => {
        expect(readDelta(encodeDelta(one))).toMatchObject({
          system_version_info: String(one.sequence),
          type_url: TYPE_URLS[one.kind],
          nonce: one.nonce,
          resources: one.resources.map(({ name, version, any }) => ({
            name,
            version: `${version}@${one.sequence}`,
            resource: any,
          })),
          removed_resources: one.removed,
        });
      }),
    );
  });

  it('are read as what was told, state of the world', () => {
    fc.assert(
      fc.property(told, (one) => {
        expect(readSotw(encodeSotw(one))).toMatchObject({
          version_info: `${one.sequence}.${one.nonce}`,
          type_url: TYPE_URLS[one.kind],
          nonce: one.nonce,
          resources: one.resources.map(({ any }) => any),
        });
      }),
    );
  });
});
