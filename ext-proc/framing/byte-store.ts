// Bytes that wait, copied into one buffer that grows: a chunk that was kept as it came would hold on to the message it
// came in, so a server that sends byte by byte could make us hold a hundred times what is counted.

export type ByteStore = {
  /** Copies a chunk to the end. */
  add(chunk: Uint8Array): void;
  /** All bytes in the order they came, and forgets them. */
  take(): Uint8Array;
  size(): number;
};

export const createByteStore = (): ByteStore => {
  let buffer = Buffer.alloc(0);
  let size = 0;
  return {
    add: (chunk) => {
      const needed = size + chunk.length;
      if (needed > buffer.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * size));
        buffer.copy(grown, 0, 0, size);
        buffer = grown;
      }
      buffer.set(chunk, size);
      size = needed;
    },
    take: () => {
      const bytes = buffer.subarray(0, size);
      buffer = Buffer.alloc(0);
      size = 0;
      return bytes;
    },
    size: () => size,
  };
};
