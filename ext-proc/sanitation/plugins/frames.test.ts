// The bytes between the gateway and a plug-in: what is said arrives, and no bytes of anybody are more than an answer.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeQuestion,
  encodeReply,
  MAX_FINDINGS,
  type Reply,
  readQuestion,
  readReply,
} from '#ext-proc/sanitation/plugins/frames.ts';
import { fromWireFindings } from '#ext-proc/sanitation/plugins/wire-findings.ts';

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const reply: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({ kind: fc.constantFrom('loaded', 'threw', 'malformed') }),
  fc.record({ kind: fc.constant('unloadable' as const), why: fc.string({ maxLength: 100 }) }),
  fc.record({
    kind: fc.constant('findings' as const),
    findings: fc.array(fc.record({ kind: word, start: word, end: word }), { maxLength: 20 }),
  }),
);

describe('an answer', () => {
  it('arrives as it was said, when all of it is there and nothing more', () => {
    fc.assert(
      fc.property(reply, fc.nat(), (said, cut) => {
        const bytes = encodeReply(said);
        expect(readReply(bytes)).toEqual(said);
        expect(readReply(bytes.subarray(0, cut % bytes.length))).toBe('partial');
        expect(readReply(Buffer.concat([bytes, Buffer.from([0])]))).toBe('wrong');
      }),
    );
  });

  it('has no more findings than there may be', () => {
    const head = Buffer.alloc(8);
    head.writeUInt32LE(3, 0);
    head.writeUInt32LE(MAX_FINDINGS + 1, 4);
    expect(readReply(head)).toBe('wrong');
  });

  it('holds findings of the text and of known kinds alone, whatever the bytes', () => {
    const scanned = { kinds: ['a', 'b'], text: 'some text' };
    const small = fc.integer({ min: 0, max: 12 });
    const findings = fc.array(fc.record({ kind: small, start: small, end: small }), { maxLength: 3 });
    fc.assert(
      fc.property(findings, (wire) => {
        const isRight = wire.every(({ kind, start, end }) => kind < 2 && start < end && end <= 9);
        const read = fromWireFindings(wire, scanned);
        expect(read !== undefined).toBe(isRight);
        for (const { kind } of read ?? []) expect(scanned.kinds).toContain(kind);
      }),
    );
  });
});

it('a question arrives with every unit of its text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string()), (text, allowedHosts) => {
      const odd = `${text}\ud800`;
      const bytes = encodeQuestion(odd, { allowedHosts });
      let at = 0;
      const take = (length: number): Buffer => {
        at += length;
        return bytes.subarray(at - length, at);
      };
      expect(readQuestion(take)).toEqual({ text: odd, options: { allowedHosts } });
      expect(at).toBe(bytes.length);
    }),
  );
});
