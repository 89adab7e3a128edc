// Reads protobuf's wire format field by field (protobuf.dev, "encoding"). Every read is checked against the end of the
// message it belongs to, not only of the buffer: a nested message cannot reach into what follows it.

import { GatewayError } from '#core/gateway-error.ts';
import { END_GROUP, FIXED32, FIXED64, LENGTH_DELIMITED, START_GROUP, VARINT } from '#protos/wire/types.ts';

/** As deep as other implementations let unknown groups nest; ours never do. */
const MAX_GROUP_DEPTH = 100;

/** Tags and lengths are 32-bit numbers: five groups of seven bits, the last of them cut. */
const MAX_UINT32_BYTES = 5;
const MAX_UINT32 = 2 ** 32 - 1;

/** A varint holds 64 bits at most; its tenth byte has room for one of them. */
const MAX_VARINT_BYTES = 10;

const malformed = (fault: string): never => {
  throw new GatewayError('codec_failed', `a protobuf message is malformed: ${fault}`);
};

/** Takes the field that `tag` begins, or skips it. */
export type FieldReader<T> = (reader: WireReader, tag: number, into: T) => void;

export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;
  #end: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /**
   * Reads fields up to the end of the message. Called again for the same `into` it merges, as protobuf asks of a singular
   * message that stands twice: single values are replaced, repeated ones added to.
   * @throws GatewayError `codec_failed`, as everything here does, at the first byte that is not protobuf.
   */
  fields<T>(into: T, read: FieldReader<T>): void {
    while (this.#at < this.#end) read(this, this.#tag(), into);
  }

  /** The fields of a nested message. */
  message<T>(into: T, read: FieldReader<T>): void {
    const outer = this.#end;
    const start = this.#span();
    this.#end = this.#at;
    this.#at = start;
    this.fields(into, read);
    this.#end = outer;
  }

  /** A view of the message's own bytes: it lives as long as they do. */
  bytes(): Buffer {
    const start = this.#span();
    return this.#bytes.subarray(start, this.#at);
  }

  /** Bytes that are not UTF-8 become U+FFFD: what looks at the text decides, and nothing we know by name holds one. */
  text(): string {
    const start = this.#span();
    return this.#bytes.toString('utf8', start, this.#at);
  }

  /** Bytes as text with one character for each. */
  latin1(): string {
    const start = this.#span();
    return this.#bytes.toString('latin1', start, this.#at);
  }

  /** A bool: a varint of 64 bits, true unless all of them are 0. */
  bool(): boolean {
    const start = this.#at;
    this.#skipVarint();
    return this.#bytes.subarray(start, this.#at).some((byte) => (byte & 0x7f) !== 0);
  }

  /** Passes over a field of no interest; one of unexpected wire type is unknown too, says protobuf. */
  skip(tag: number): void {
    this.#skip(tag, 0);
  }

  #skip(tag: number, depth: number): void {
    const type = tag & 7;
    if (type === LENGTH_DELIMITED) this.#span();
    else if (type === VARINT) this.#skipVarint();
    else if (type === FIXED64) this.#take(8);
    else if (type === FIXED32) this.#take(4);
    else if (type === START_GROUP) this.#skipGroup(tag, depth + 1);
    else malformed('a wire type that cannot stand here');
  }

  #skipGroup(start: number, depth: number): void {
    if (depth > MAX_GROUP_DEPTH) malformed('groups nest too deep');
    const end = start - START_GROUP + END_GROUP;
    for (let tag = this.#tag(); tag !== end; tag = this.#tag()) this.#skip(tag, depth);
  }

  #skipVarint(): void {
    for (let count = 1; count < MAX_VARINT_BYTES; count += 1) if (this.#byte() < 0x80) return;
    if (this.#byte() > 1) malformed('a varint of more than 64 bits');
  }

  #tag(): number {
    const tag = this.#uint32();
    return tag < 8 ? malformed('field number 0') : tag;
  }

  #uint32(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let count = 1, unit = 0x80; count < MAX_UINT32_BYTES; count += 1, unit *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value > MAX_UINT32 ? malformed('a number of more than 32 bits') : value;
    }
    return malformed('a number of more than 32 bits');
  }

  #byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  /** Where a length-delimited value starts; the position is its end then. */
  #span(): number {
    return this.#take(this.#uint32());
  }

  #take(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) malformed('it ends too early');
    this.#at = start + count;
    return start;
  }
}
