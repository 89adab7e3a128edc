// A token or password that no log, error, template string or JSON can print by accident, and no heap snapshot shows: its
// bytes lie outside the JavaScript heap. The only way to the text is `reveal()`, so every use is one a reader can search for.

const REDACTED = '[redacted]';
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

export class Secret {
  readonly #bytes: Buffer;

  constructor(content: string | Buffer) {
    this.#bytes = typeof content === 'string' ? Buffer.from(content) : content;
  }

  /**
   * The secret itself. Call it only where the bytes leave for the party they are meant for, and keep the text no longer:
   * it is a string like any other until the garbage collector takes it.
   */
  reveal(): string {
    return this.#bytes.toString();
  }

  get byteLength(): number {
    return this.#bytes.length;
  }

  /**
   * The same secret in memory of its own, for whoever keeps it. Small buffers share a block of 8 KiB, which is quick for
   * the token of a call; one that was kept would hold the whole block.
   */
  kept(): Secret {
    const bytes = Buffer.allocUnsafeSlow(this.#bytes.length);
    this.#bytes.copy(bytes);
    return new Secret(bytes);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [INSPECT](): string {
    return REDACTED;
  }
}
