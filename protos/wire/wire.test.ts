// Unit and property tests of reader.ts and writer.ts: what is written is read, by us and by protobufjs, and nothing that
// is not protobuf is taken for it.

import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { type FieldReader, WireReader } from '#protos/wire/reader.ts';
import { delimited, fixed64, varint } from '#protos/wire/types.ts';
import { WireWriter } from '#protos/wire/writer.ts';

/** Every text of field 1 and every message of field 2, with their own; all else is passed over. */
type Seen = { texts: string[]; nested: Seen[] };

const nothing = (): Seen => ({ texts: [], nested: [] });

const readSeen: FieldReader<Seen> = (reader, tag, into) => {
  if (tag === delimited(1)) into.texts.push(reader.text());
  else if (tag === delimited(2)) {
    const inner = nothing();
    into.nested.push(inner);
    reader.message(inner, readSeen);
  } else reader.skip(tag);
};

const readAll = (bytes: Buffer): Seen => {
  const into = nothing();
  new WireReader(bytes).fields(into, readSeen);
  return into;
};

const read = (...bytes: number[]): Seen => readAll(Buffer.from(bytes));

const HELLO = [0x0a, 2, 0x68, 0x69];
const hello = { texts: ['hi'], nested: [] };

describe('WireReader', () => {
  it.each<[string, number[]]>([
    ['a varint', [0x18, 0x96, 0x01]],
    ['a varint of ten bytes', [0x18, ...Array<number>(9).fill(0xff), 0x01]],
    ['eight bytes', [0x19, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['four bytes', [0x1d, 1, 2, 3, 4]],
    ['a string', [0x1a, 1, 0x41]],
    ['the greatest field number', [0xfa, 0xff, 0xff, 0xff, 0x0f, 0]],
    ['a group', [0x1b, 0x08, 1, 0x0a, 1, 0x41, 0x1c]],
    ['a group in a group of the same number', [0x1b, 0x1b, 0x1c, 0x1c]],
    ['the field it knows, of another wire type', [0x08, 5]],
    ['the field it knows as a group', [0x0b, 0x0c]],
  ])('passes over %s that nobody asked for', (_what, unknown) => {
    expect(read(...unknown, ...HELLO)).toEqual(hello);
    expect(read(...HELLO, ...unknown)).toEqual(hello);
  });

  it.each<[string, number[]]>([
    ['a tag alone', [0x0a]],
    ['a tag that does not end', [0x8a]],
    ['a tag of more than 32 bits', [0x8a, 0x80, 0x80, 0x80, 0x10, 0]],
    ['a tag of six bytes', [0x8a, 0x80, 0x80, 0x80, 0x80, 0x00, 0]],
    ['field number 0', [0x02, 0]],
    ['a length that does not end', [0x0a, 0x81]],
    ['a length beyond the message', [0x0a, 3, 0x68, 0x69]],
    ['the greatest length', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]],
    ['a length of more than 32 bits', [0x0a, 0x82, 0x80, 0x80, 0x80, 0x10, 0x68, 0x69]],
    ['an unknown length beyond the message', [0x1a, 3, 0x68, 0x69]],
    ['a string that reaches beyond its message', [0x12, 3, 0x0a, 2, 0x68, 0x69]],
    ['a message cut in a tag', [0x12, 1, 0x8a, 0x01, 0]],
    ['a varint that does not end', [0x18, 0x80]],
    ['a varint of eleven bytes', [0x18, ...Array<number>(10).fill(0x80), 0]],
    ['a varint of more than 64 bits', [0x18, ...Array<number>(9).fill(0xff), 0x02]],
    ['eight bytes that are seven', [0x19, 1, 2, 3, 4, 5, 6, 7]],
    ['four bytes that are three', [0x1d, 1, 2, 3]],
    ['a group that does not end', [0x1b, 0x08, 1]],
    ['a group that ends in a nested message', [0x1b, 0x12, 1, 0x1c]],
    ['a group ended by another number', [0x1b, 0x24]],
    ['the end of a group that none began', [0x1c]],
    ['wire type 6', [0x1e, 0]],
    ['wire type 7', [0x1f, 0]],
    ['groups in groups without end', Array<number>(10_000).fill(0x1b)],
  ])('refuses %s', (_what, bytes) => {
    const refused = expect.objectContaining({ code: 'codec_failed' });
    expect(() => read(...bytes)).toThrow(refused);
    expect(() => read(0x12, bytes.length & 0x7f, ...bytes)).toThrow(refused);
  });

  it('reads bytes that are not UTF-8 as replaced, or as they are', () => {
    expect(read(0x0a, 2, 0xff, 0x41).texts).toEqual(['\ufffdA']);
    const seen: string[] = [];
    new WireReader(Buffer.from([0x0a, 2, 0xff, 0x41])).fields(seen, (reader) => seen.push(reader.latin1()));
    expect(seen).toEqual(['\xffA']);
  });

  it('throws nothing but its own error, and ends, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          read(...bytes);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'codec_failed' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.integer({ min: 0, max: 400 }).map((length) => 'x'.repeat(length)),
  fc.integer({ min: 0, max: 20_000 }).map((length) => 'ü'.repeat(length)),
);

const leaf: fc.Arbitrary<Seen> = fc.record({
  texts: fc.array(texts, { maxLength: 3 }),
  nested: fc.constant([]),
});
const holding = (inner: fc.Arbitrary<Seen>): fc.Arbitrary<Seen> =>
  fc.record({ texts: fc.array(texts, { maxLength: 3 }), nested: fc.array(inner, { maxLength: 3 }) });
const tree = holding(holding(fc.oneof(leaf, holding(leaf))));

const write = (writer: WireWriter, { texts, nested }: Seen): void => {
  for (const text of texts) writer.text(delimited(1), text);
  for (const inner of nested) {
    const start = writer.open(delimited(2));
    write(writer, inner);
    writer.close(start);
  }
};

describe('WireWriter', () => {
  it('writes what is read again, from however little room', () => {
    const writer = new WireWriter(1);
    fc.assert(
      fc.property(tree, (given) => {
        writer.begin();
        write(writer, given);
        expect(readAll(writer.finish())).toEqual(given);
      }),
    );
  });

  it('writes scalars as protobufjs does', () => {
    const writer = new WireWriter(1);
    const whole = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    const field = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(2 ** 29 - 1));
    fc.assert(
      fc.property(field, whole, fc.double(), texts, (number, value, real, text) => {
        writer.begin();
        writer.uint32(varint(number), value);
        writer.double(fixed64(number), real);
        writer.text(delimited(number), text);
        const theirs = protobuf.Writer.create();
        theirs.uint32(varint(number)).uint32(value).uint32(fixed64(number)).double(real);
        theirs.uint32(delimited(number)).string(text);
        expect(writer.finish().equals(theirs.finish())).toBe(true);
      }),
    );
  });

  it('writes a lone surrogate as U+FFFD, which every reader takes', () => {
    const writer = new WireWriter();
    writer.begin();
    writer.text(delimited(1), '\ud800A');
    expect(read(...writer.finish()).texts).toEqual(['\ufffdA']);
  });

  it('begins anew after a message that was given up', () => {
    const writer = new WireWriter();
    writer.begin();
    writer.open(delimited(2));
    writer.begin();
    writer.text(delimited(1), 'hi');
    expect([...writer.finish()]).toEqual(HELLO);
  });
});
