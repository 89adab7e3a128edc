// Property tests of encode-check-response.ts: byte for byte what proto-loader writes of the same answer, and never an
// answer without a status.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '#core/json.ts';
import {
  type CheckResponseMessage,
  type HeaderOption,
  RPC_CODES,
} from '#ext-authz/response/check-response-message.ts';
import { encodeCheckResponse } from '#ext-authz/response/encode-check-response.ts';
import {
  checkResponseFrom,
  jsonFromStruct,
  referenceResponseBytes,
  type WireStruct,
} from '#test/support/check-codec.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.nat(40_000).map((length) => 'a'.repeat(length)),
);
const header: fc.Arbitrary<HeaderOption> = fc.record({
  header: fc.record({ key: text, value: text }),
  append_action: fc.constantFrom('OVERWRITE_IF_EXISTS_OR_ADD', 'APPEND_IF_EXISTS_OR_ADD'),
});
const headers = fc.array(header, { maxLength: 5 });
const head = {
  status: fc.record({ code: fc.constantFrom(...Object.values(RPC_CODES)) }),
  dynamic_metadata: fc
    .dictionary(text, fc.jsonValue({ maxDepth: 4 }), { maxKeys: 5 })
    .map((object) => object as JsonObject),
};
const message: fc.Arbitrary<CheckResponseMessage> = fc.oneof(
  fc.record({
    ...head,
    ok_response: fc.record({
      headers,
      headers_to_remove: fc.array(text, { maxLength: 5 }),
      response_headers_to_add: headers,
    }),
  }),
  fc.record({
    ...head,
    denied_response: fc.record({
      status: fc.record({ code: fc.constantFrom(200, 204, 401, 403, 500) }),
      headers,
      body: text,
    }),
  }),
);

const DENIED: CheckResponseMessage = {
  status: { code: RPC_CODES.internal },
  denied_response: { status: { code: 500 }, headers: [], body: '' },
  dynamic_metadata: {},
};

const metadataOf = (answer: CheckResponseMessage): object =>
  jsonFromStruct(
    (checkResponseFrom(encodeCheckResponse(answer)) as { dynamic_metadata: WireStruct }).dynamic_metadata,
  );

describe('encodeCheckResponse()', () => {
  it('writes the bytes proto-loader writes', () => {
    fc.assert(
      fc.property(message, (given) => {
        const [ours, theirs] = [encodeCheckResponse(given), referenceResponseBytes(given)];
        if (!ours.equals(theirs)) expect(checkResponseFrom(ours)).toEqual(checkResponseFrom(theirs));
        expect(ours.equals(theirs)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('begins with the status, be it 0', () => {
    fc.assert(
      fc.property(message, (given) => {
        expect([...encodeCheckResponse(given).subarray(0, 4)]).toEqual([0x0a, 2, 0x08, given.status.code]);
      }),
    );
  });

  it('keeps every kind of value in the metadata', () => {
    const json = {
      ...{ text: 'ü\n', empty: '', number: -1.5, zero: 0, yes: true, no: false, nothing: null },
      ...{ list: ['a', 1, null, [true], { a: 'b' }], none: [], deep: { a: { b: { c: [] } } }, hollow: {} },
    };
    expect(metadataOf({ ...DENIED, dynamic_metadata: json })).toEqual(json);
  });

  it('leaves nothing of an answer that could not be written in the next one', () => {
    const broken = { guard: undefined } as unknown as JsonObject;
    expect(() => encodeCheckResponse({ ...DENIED, dynamic_metadata: broken })).toThrow(TypeError);
    expect(encodeCheckResponse(DENIED).equals(referenceResponseBytes(DENIED))).toBe(true);
  });
});
