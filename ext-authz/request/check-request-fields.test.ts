// Property tests of check-request-fields.ts against proto-loader, which knows every field of a CheckRequest: both read
// the same in whatever Envoy can send, and bytes that were tampered with open nothing.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CheckRequestFields, readCheckRequest } from '#ext-authz/request/check-request-fields.ts';
import { checkRequestBytes, referenceFields, rewritten } from '#test/support/check-codec.ts';

const text = fc.string({ unit: 'binary', maxLength: 40 });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const map = fc.dictionary(text, text, { maxKeys: 4 });
const optional = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { requiredKeys: [] });
const metadata = optional({
  filter_metadata: fc.dictionary(
    text,
    fc.record({ fields: fc.dictionary(text, fc.record({ stringValue: text })) }),
    {
      maxKeys: 2,
    },
  ),
});

const address = fc.oneof(
  fc.record({ socket_address: optional({ address: text, port_value: fc.nat(65_535), protocol: fc.nat(1) }) }),
  fc.record({ pipe: optional({ path: text, mode: fc.nat(511) }) }),
);
const peer = optional({ address, service: text, labels: map, principal: text, certificate: text });
const http = optional({
  id: text,
  method: text,
  headers: map,
  header_map: fc.record({
    headers: fc.array(optional({ key: text, value: text, raw_value: bytes }), { maxLength: 8 }),
  }),
  path: text,
  host: text,
  scheme: text,
  query: text,
  fragment: text,
  size: fc.maxSafeInteger(),
  protocol: text,
  body: text,
  raw_body: bytes,
});
const time = fc.record({ seconds: fc.nat(), nanos: fc.nat(999_999_999) });
const message = optional({
  attributes: optional({
    source: peer,
    destination: peer,
    request: optional({ time, http }),
    context_extensions: map,
    metadata_context: metadata,
    route_metadata_context: metadata,
    tls_session: optional({ sni: text }),
  }),
});

const read = (parts: readonly Buffer[]): CheckRequestFields => readCheckRequest(Buffer.concat(parts));

/** Nothing but a refusal by our own error, or fields. */
const refusedOrRead = (bytes: Buffer): void => {
  try {
    readCheckRequest(bytes);
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'codec_failed' });
  }
};

describe('readCheckRequest()', () => {
  it('reads what proto-loader reads, in any message', () => {
    fc.assert(
      fc.property(message, (given) => {
        const encoded = checkRequestBytes(given);
        expect(readCheckRequest(encoded)).toEqual(referenceFields(encoded));
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses every message that ends too early', () => {
    fc.assert(
      fc.property(message, fc.nat(), (given, at) => {
        const encoded = checkRequestBytes(given);
        const cut = encoded.subarray(0, encoded.length === 0 ? 0 : at % encoded.length);
        if (cut.length > 0)
          expect(() => readCheckRequest(cut)).toThrow(expect.objectContaining({ code: 'codec_failed' }));
      }),
    );
  });

  it('reads in tampered bytes what proto-loader reads, as long as they are a message as it writes them', () => {
    let compared = 0;
    const change = fc.record({ at: fc.nat(), value: fc.nat(255) });
    fc.assert(
      fc.property(message, fc.array(change, { minLength: 1, maxLength: 3 }), (given, changes) => {
        const encoded = Buffer.from(rewritten(checkRequestBytes(given)) ?? []);
        for (const { at, value } of changes) if (encoded.length > 0) encoded[at % encoded.length] = value;
        if (rewritten(encoded)?.equals(encoded) !== true) return refusedOrRead(encoded);
        compared += 1;
        expect(readCheckRequest(encoded)).toEqual(referenceFields(encoded));
      }),
      { numRuns: 1500 },
    );
    expect(compared).toBeGreaterThan(200);
  });

  it('takes the last of a value that stands twice, and adds the parts of a message that does', () => {
    const part = (method: string, tenant: string) =>
      checkRequestBytes({
        attributes: {
          request: { http: { method, header_map: { headers: [{ key: 'A', value: method }] } } },
          source: { address: { socket_address: { address: '192.0.2.1' } } },
          context_extensions: { tenant },
        },
      });
    expect(read([part('GET', 'a'), part('POST', 'b')])).toMatchObject({
      method: 'POST',
      headers: new Map([['a', ['GET', 'POST']]]),
      context: new Map([['tenant', 'b']]),
      clientAddress: '192.0.2.1',
    });
  });

  it('keeps no address of a socket when another kind of address follows', () => {
    const from = (address: object) => checkRequestBytes({ attributes: { source: { address } } });
    const socket = from({ socket_address: { address: '192.0.2.1' } });
    expect(read([socket, from({ pipe: { path: '/x' } })]).clientAddress).toBe('');
    expect(read([from({ pipe: { path: '/x' } }), socket]).clientAddress).toBe('192.0.2.1');
  });
});
