// What is read of a message is what proto-loader reads of it, whatever stands in it and in whatever order.

import type { MethodDefinition } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerPartFrom, isOfRequest, requestPartFrom } from '#ext-proc/wire/from-processing-request.ts';
import { readProcessingRequest } from '#ext-proc/wire/read-processing-request.ts';
import { loadService } from '#protos/service.ts';
import { toStruct } from '#test/support/ext-proc-envoy.ts';

const Process = loadService('envoy.service.ext_proc.v3.ExternalProcessor')['Process'] as MethodDefinition<
  object,
  object
>;

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const text = fc.string({ maxLength: 40 });
const optional = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { requiredKeys: [] });
const headers = fc.record({
  headers: fc.record({ headers: fc.array(fc.record({ key: text, raw_value: bytes }), { maxLength: 4 }) }),
  end_of_stream: fc.boolean(),
});
const body = optional({ body: bytes, end_of_stream: fc.boolean() });
const orders = toStruct({ guard: 'list', lists: [{ kind: 'tools', all: false, names: ['a', 'b'] }] });
const part = fc.oneof(
  body.map((response_body) => ({ response_body })),
  body.map((request_body) => ({ request_body })),
  headers.map((response_headers) => ({ response_headers })),
  fc.constantFrom({ response_trailers: {} }, { request_trailers: {} }, {}),
);
const message = fc
  .record({ part, observed: fc.boolean(), withOrders: fc.boolean() })
  .map(({ part: one, observed, withOrders }) => ({
    ...one,
    observability_mode: observed,
    ...(withOrders
      ? { metadata_context: { filter_metadata: { 'envoy.filters.http.ext_authz': orders } } }
      : {}),
  }));

const meaningOf = (decoded: object) => [
  answerPartFrom(decoded),
  isOfRequest(decoded),
  requestPartFrom(decoded),
];

const read = (all: Buffer): object => readProcessingRequest(all, Process.requestDeserialize);

describe('readProcessingRequest', () => {
  it('reads what proto-loader reads', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const all = Process.requestSerialize(sent);
        expect(meaningOf(read(all))).toEqual(meaningOf(Process.requestDeserialize(all)));
      }),
    );
  });

  it('reads what proto-loader reads of messages that say more than one thing', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 2, maxLength: 3 }), (sent) => {
        const all = Buffer.concat(sent.map(Process.requestSerialize));
        expect(meaningOf(read(all))).toEqual(meaningOf(Process.requestDeserialize(all)));
      }),
    );
  });

  it('decodes no metadata of a piece of a body', () => {
    const refuse = () => {
      throw new Error('decoded in full');
    };
    const all = Process.requestSerialize({ response_body: { body: Buffer.from('x') }, metadata_context: {} });
    expect(answerPartFrom(readProcessingRequest(all, refuse))).toEqual({
      kind: 'chunk',
      bytes: Buffer.from('x'),
      endOfStream: false,
    });
  });

  it('refuses a piece that ends too early', () => {
    const all = Process.requestSerialize({
      response_body: { body: Buffer.from('xyz'), end_of_stream: true },
    });
    for (let length = 1; length < all.length; length += 1)
      expect(() => read(all.subarray(0, length)), String(length)).toThrow();
  });
});
