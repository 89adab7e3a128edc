// Undoes the coding of a body piece by piece, off the event loop: what a piece completes comes out at once, so that an
// event of a compressed stream goes on as soon as it is whole. A few bytes can stand for gigabytes: what comes out is capped
// while it comes out.

import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';
import { err, ok, type Result } from '#core/result.ts';
import { type AnswerFault, refused, tooLarge } from '#ext-proc/answer-fault.ts';
import type { ContentCoding } from '#ext-proc/encoding/content-coding.ts';

export type BodyDecoder = {
  /**
   * The bytes that `chunk` completes. Not called again before it has answered; of no use after an error.
   * @returns or `content_encoding` for what is not in this coding, or ends in the middle of it; `decoded_too_large`.
   */
  push(chunk: Uint8Array, endOfStream: boolean): Promise<Result<Uint8Array, AnswerFault>>;
  /** Gives back what the coding holds. Harmless when repeated. */
  close(): void;
};

export type DecoderLimits = {
  /** Most bytes that come of one piece. */
  readonly maxBytesAtOnce: number;
};

/** A page of JSON shrinks to a tenth, a list of equal rows to a fiftieth; what is beyond this was made to be. */
const MAX_RATIO = 200;

/** Decoded bytes up to which the ratio is not looked at: a short text of one letter is no bomb. */
const RATIO_FREE_BYTES = 1024 * 1024;

/** RFC 9659: no larger a window is needed for the coding `zstd`, and a decoder holds all of it. */
const ZSTD_WINDOW_LOG = 23;

const DECODERS: Readonly<Record<ContentCoding, () => Transform>> = {
  gzip: () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }),
};

class Decoder implements BodyDecoder {
  readonly #stream: Transform;
  readonly #limits: DecoderLimits;
  #pieces: Uint8Array[] = [];
  #atOnce = 0;
  #read = 0;
  #decoded = 0;
  #fault: AnswerFault | undefined;
  #isOver = false;
  #settle: () => void = () => {};

  constructor(coding: ContentCoding, limits: DecoderLimits) {
    this.#limits = limits;
    this.#stream = DECODERS[coding]();
    this.#stream.on('data', (piece: Uint8Array) => this.#take(piece));
    this.#stream.on('error', () => {
      this.#fault ??= refused('content_encoding');
    });
    this.#stream.on('end', () => {
      this.#isOver = true;
    });
    this.#stream.on('close', () => this.#settle());
  }

  async push(chunk: Uint8Array, endOfStream: boolean): Promise<Result<Uint8Array, AnswerFault>> {
    this.#read += chunk.length;
    // A body without a byte is in no coding; what follows the end of a coding is in none either, and goes nowhere.
    const isIdle = this.#isOver || this.#fault !== undefined || this.#stream.destroyed || this.#read === 0;
    if (!isIdle) await this.#write(chunk, endOfStream);
    if (endOfStream) this.close();
    if (this.#fault !== undefined) return err(this.#fault);
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#atOnce = 0;
    return ok(bytes);
  }

  close(): void {
    this.#stream.destroy();
  }

  #write(chunk: Uint8Array, endOfStream: boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#settle = resolve;
      // The stream closes by itself behind its end; of a piece before that all is out when it has been taken.
      if (endOfStream) this.#stream.end(chunk);
      else
        this.#stream.write(chunk, () => {
          while (!this.#stream.destroyed && this.#stream.read() !== null);
          resolve();
        });
    });
  }

  #take(piece: Uint8Array): void {
    if (this.#fault !== undefined) return;
    this.#atOnce += piece.length;
    this.#decoded += piece.length;
    this.#pieces.push(piece);
    const isBomb = this.#decoded > RATIO_FREE_BYTES && this.#decoded > MAX_RATIO * this.#read;
    if (!isBomb && this.#atOnce <= this.#limits.maxBytesAtOnce) return;
    this.#fault = tooLarge('decoded_too_large');
    this.#pieces = [];
    this.#stream.destroy();
  }
}

export const createBodyDecoder = (coding: ContentCoding, limits: DecoderLimits): BodyDecoder =>
  new Decoder(coding, limits);
