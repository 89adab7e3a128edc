// Compressed answers through the real Envoy: judged like plain ones, sent on plain, and no bomb goes off in the guard.

import type { Transform } from 'node:stream';
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createDeflate,
  createGzip,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type GuardBench, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard, type TestGuard } from '#test/support/ext-proc-guard.ts';
import { callGuarded, openCall, ordersOff, ordersTools, toolsAnswer } from '#test/support/guarded-call.ts';
import { markedEventId } from '#test/support/session-world.ts';

const MIB = 1024 * 1024;
const LIMITS = { maxBodyBytes: 2 * MIB, maxEventBytes: 100_000 };
const EVENTS = { 'content-type': 'text/event-stream' };
const JSON_TYPE = { 'content-type': 'application/json' };

type Coding = {
  readonly name: string;
  readonly compress: (text: string) => Buffer;
  readonly stream: () => Transform & { flush(kind: number, done: () => void): void };
  readonly flush: number;
};

const CODINGS: readonly Coding[] = [
  { name: 'gzip', compress: gzipSync, stream: createGzip, flush: constants.Z_SYNC_FLUSH },
  { name: 'deflate', compress: deflateSync, stream: createDeflate, flush: constants.Z_SYNC_FLUSH },
  {
    name: 'br',
    compress: brotliCompressSync,
    stream: createBrotliCompress,
    flush: constants.BROTLI_OPERATION_FLUSH,
  },
  { name: 'zstd', compress: zstdCompressSync, stream: createZstdCompress, flush: constants.ZSTD_e_flush },
];

let bench: GuardBench;
let guard: TestGuard;

beforeAll(async () => {
  guard = createTestGuard(LIMITS);
  bench = await startGuardBench(guard.start);
});
afterAll(() => bench?.stop());
beforeEach(() => guard.reset());

const answerWith = (headers: Record<string, string>, ...pieces: readonly (string | Buffer)[]): void => {
  bench.server = async (_, response) => {
    response.writeHead(200, { vary: 'accept-encoding', ...headers });
    response.socket?.setNoDelay(true);
    for (const piece of pieces) {
      response.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    response.end();
  };
};

const names = (text: string): readonly string[] =>
  (JSON.parse(text) as { result: { tools: { name: string }[] } }).result.tools.map(({ name }) => name);

const reasonOf = (text: string) =>
  (JSON.parse(text) as { error?: { data?: { reason?: string } } }).error?.data?.reason;

const faults = () => guard.logged('answer refused').map(({ fault }) => fault);

describe.each(CODINGS)('an answer in $name', ({ name, compress, stream, flush }) => {
  it('is cut as JSON, and goes on plain', async () => {
    const body = compress(toolsAnswer(['a', 'ü', 'hidden']));
    answerWith({ ...JSON_TYPE, 'content-encoding': name }, body.subarray(0, 11), body.subarray(11));
    const answer = await callGuarded(bench.url, ordersTools(['a', 'ü']));
    expect(names(answer.text)).toEqual(['a', 'ü']);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.headers['vary']).toBe('accept-encoding');
  });

  it('is cut event by event, each as soon as it is whole, though it comes byte by byte', async () => {
    let finish = async (): Promise<void> => {};
    bench.server = async (_, response) => {
      response.writeHead(200, { ...EVENTS, 'content-encoding': name });
      response.socket?.setNoDelay(true);
      const encoder = stream();
      const written: Buffer[] = [];
      encoder.on('data', (bytes: Buffer) => written.push(bytes));
      const send = async (text: string): Promise<void> => {
        encoder.write(text);
        await new Promise<void>((resolve) => encoder.flush(flush, resolve));
        for (const byte of Buffer.concat(written.splice(0))) response.write(Buffer.from([byte]));
      };
      await send(': hello\r\n\r\nretry: 7\ndata: {"jsonrpc":"2.0","method":"ü"}\n\n');
      finish = async () => {
        await send(`id: 1\ndata: ${toolsAnswer(['hidden', 'ü'])}\r\r`);
        encoder.once('end', () => response.end(Buffer.concat(written)));
        encoder.end();
      };
    };
    const call = openCall(bench.url, ordersTools(['ü']));
    const first = ': hello\n\nretry: 7\ndata: {"jsonrpc":"2.0","method":"ü"}\n\n';
    expect(await call.until('"ü"')).toBe(first);
    await finish();
    const answer = await call.answer;
    const id = markedEventId('1', ordersTools([]));
    expect(answer.text).toBe(`${first}id: ${id}\ndata: ${toolsAnswer(['ü'])}\n\n`);
    expect({ end: answer.end, coding: answer.headers['content-encoding'] }).toEqual({
      end: 'whole',
      coding: undefined,
    });
  });

  it('that has nothing to judge has its event ids marked all the same', async () => {
    answerWith({ ...EVENTS, 'content-encoding': name }, compress('id: 7\ndata: x\n\n'));
    const answer = await callGuarded(bench.url, ordersOff());
    expect(answer.text).toBe(`id: ${markedEventId('7', ordersOff())}\ndata: x\n\n`);
  });

  it('is refused where it bursts, in one piece or many', async () => {
    const bomb = compress(`{"jsonrpc":"2.0","id":1,"result":{"x":"${'y'.repeat(12 * MIB)}"}}`);
    answerWith({ ...JSON_TYPE, 'content-encoding': name }, bomb);
    expect(reasonOf((await callGuarded(bench.url, ordersTools(['a']))).text)).toBe('answer_too_large');
    answerWith({ ...EVENTS, 'content-encoding': name }, compress(': y\n\n'.repeat(2 * MIB)));
    const events = await callGuarded(bench.url, ordersOff());
    // Envoy may not have sent the head yet.
    expect(events.status === 502 || events.end === 'broken').toBe(true);
    expect(faults()).toEqual(['decoded_too_large', 'decoded_too_large']);
    expect(events.text.length).toBeLessThan(LIMITS.maxBodyBytes * 2);
  });

  it.each([
    ['is none', (_: Buffer) => Buffer.from('no coding at all')],
    ['ends too early', (body: Buffer) => body.subarray(0, -6)],
    ['is damaged', (body: Buffer) => Buffer.concat([body.subarray(0, 9), body.subarray(14)])],
  ])('is refused where it %s', async (_, spoil) => {
    const spoiled = spoil(compress(toolsAnswer(['hidden'])));
    answerWith({ ...JSON_TYPE, 'content-encoding': name }, spoiled);
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect(reasonOf(answer.text)).toBe('answer_refused');
    expect(answer.text).not.toContain('hidden');
    answerWith(
      { ...EVENTS, 'content-encoding': name },
      spoil(compress(`data: ${toolsAnswer(['hidden'])}\n\n`)),
    );
    const events = await callGuarded(bench.url, ordersTools(['a']));
    expect(events.text).toMatch(
      /^(data: [^\n]*"tools":\[\][^\n]*\n\n)?event: message\ndata: [^\n]*answer_refused[^\n]*\n\n$/,
    );
  });
});

describe('an answer in another coding', () => {
  it.each([
    ['an unknown one', 'compress', Buffer.from('x')],
    ['several', 'gzip, gzip', gzipSync(gzipSync(toolsAnswer(['hidden'])))],
  ])('is refused before a byte of it is read: %s', async (_, coding, body) => {
    answerWith({ ...JSON_TYPE, 'content-encoding': coding }, body);
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect({ status: answer.status, reason: reasonOf(answer.text) }).toEqual({
      status: 502,
      reason: 'answer_refused',
    });
    expect(faults()).toEqual(['content_encoding']);
  });

  it('is refused where it calls raw deflate what RFC 9110 does not', async () => {
    answerWith({ ...JSON_TYPE, 'content-encoding': 'deflate' }, deflateRawSync(toolsAnswer(['hidden'])));
    expect(reasonOf((await callGuarded(bench.url, ordersTools(['a']))).text)).toBe('answer_refused');
  });

  it('passes where it has no byte, or nothing is judged', async () => {
    answerWith({ ...JSON_TYPE, 'content-encoding': 'gzip' });
    expect(reasonOf((await callGuarded(bench.url, ordersTools(['a']))).text)).toBe('answer_refused');
    answerWith({ ...EVENTS, 'content-encoding': 'compress' }, 'id: 1\n\n');
    const answer = await callGuarded(bench.url, ordersOff());
    expect({ text: answer.text, coding: answer.headers['content-encoding'] }).toEqual({
      text: 'id: 1\n\n',
      coding: 'compress',
    });
  });
});
