// Writes protobuf's wire format into one buffer that grows (protobuf.dev, "encoding"). A nested message is written where
// it stands and moved when its length turns out to need more than one byte: nearly none does, and nothing is measured twice.

/** Larger than nearly every answer, so that a writer seldom grows. */
const INITIAL_BYTES = 4096;

/** A varint of 32 bits. */
const MAX_UINT32_BYTES = 5;

/** UTF-8 takes at most this many bytes for one UTF-16 code unit. */
const MAX_UTF8_BYTES = 3;

const ONE_BYTE_LENGTH = 0x80;

const sizeOfUint32 = (value: number): number => {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size += 1;
  return size;
};

export class WireWriter {
  #bytes: Buffer;
  #at = 0;

  /** @param bytes initial room. */
  constructor(bytes = INITIAL_BYTES) {
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
  }

  /** A string field; a lone surrogate becomes U+FFFD, because readers refuse what is not UTF-8. */
  text(tag: number, text: string): void {
    const most = text.length * MAX_UTF8_BYTES;
    this.#reserve(most + 2 * MAX_UINT32_BYTES);
    this.#uint32(tag);
    const length = most < ONE_BYTE_LENGTH ? 0 : Buffer.byteLength(text);
    const start = this.#at + (length === 0 ? 1 : sizeOfUint32(length));
    const written = this.#bytes.write(text, start, 'utf8');
    this.#uint32(written);
    this.#at += written;
  }

  /** A field of a whole number below 2^32, an enum or a bool. */
  uint32(tag: number, value: number): void {
    this.#reserve(2 * MAX_UINT32_BYTES);
    this.#uint32(tag);
    this.#uint32(value);
  }

  double(tag: number, value: number): void {
    this.#reserve(MAX_UINT32_BYTES + 8);
    this.#uint32(tag);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** Begins a nested message. @returns what `close` takes. */
  open(tag: number): number {
    this.#reserve(MAX_UINT32_BYTES + 1);
    this.#uint32(tag);
    this.#at += 1;
    return this.#at;
  }

  /** Ends the nested message that `open` began. */
  close(start: number): void {
    const length = this.#at - start;
    const more = sizeOfUint32(length) - 1;
    if (more > 0) {
      this.#reserve(more);
      this.#bytes.copyWithin(start + more, start, this.#at);
    }
    this.#at = start - 1;
    this.#uint32(length);
    this.#at += length;
  }

  /** Forgets what was written, also by a message that failed halfway. */
  begin(): void {
    this.#at = 0;
  }

  /** What was written since `begin`, as bytes of its own. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  #uint32(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#at++] = rest;
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
