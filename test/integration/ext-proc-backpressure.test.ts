// A client that does not read, a rule that takes its time, a client that leaves meanwhile: what is held between server and
// client stays bounded, and the server is held back, or left.

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { guardOrdersToJson } from '#core/guard-orders.ts';
import { type GuardBench, ORDERS_HEADER, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard, type TestGuard } from '#test/support/ext-proc-guard.ts';
import { openCall, ordersOff } from '#test/support/guarded-call.ts';

const MIB = 1024 * 1024;
const RULES = ordersOff({ guard: 'rules' });
const EVENT = `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'x', params: { text: 'y'.repeat(60_000) } })}\n\n`;

let bench: GuardBench;
let guard: TestGuard;
let gate: Promise<void> | undefined;
let open = (): void => {};

const pause = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

const until = async (what: string, condition: () => boolean): Promise<void> => {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (condition()) return;
    await pause(25);
  }
  throw new Error(`not within 10 s: ${what}`);
};

beforeAll(async () => {
  guard = createTestGuard(
    { maxBodyBytes: 8 * MIB, maxEventBytes: MIB },
    [],
    [
      async (message) => {
        await gate;
        return { ok: true, value: message };
      },
    ],
  );
  bench = await startGuardBench(guard.start);
});
afterAll(() => bench?.stop());
beforeEach(() => {
  gate = undefined;
  guard.reset();
});

const close = (): void => {
  gate = new Promise((resolve) => {
    open = resolve;
  });
};

/** Sends events as fast as they are taken, and says how many bytes went out and when the client was gone. */
const flood = () => {
  const sent = { bytes: 0, gone: false };
  bench.server = (_, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const more = (): void => {
      while (!response.destroyed && response.write(EVENT)) sent.bytes += EVENT.length;
      sent.bytes += EVENT.length;
    };
    response.on('drain', more);
    response.on('close', () => {
      sent.gone = true;
    });
    more();
  };
  return sent;
};

/** The bytes that went out once no more do. */
const settled = async (sent: { readonly bytes: number }): Promise<number> => {
  let last = -1;
  while (last !== sent.bytes) {
    last = sent.bytes;
    await pause(400);
  }
  return last;
};

describe('back-pressure', () => {
  it.each([
    ['rules', RULES],
    ['nothing to judge', ordersOff()],
  ])('reaches the server where the client does not read (%s)', async (_, orders) => {
    const sent = flood();
    const { hostname, port } = new URL(bench.url);
    const socket = connect({ host: hostname, port: Number(port) });
    await once(socket, 'connect');
    socket.pause();
    const headers = `host: x\r\n${ORDERS_HEADER}: ${JSON.stringify(guardOrdersToJson(orders))}`;
    socket.write(`GET / HTTP/1.1\r\n${headers}\r\n\r\n`);
    const held = await settled(sent);
    expect(held).toBeGreaterThan(EVENT.length);
    expect(held).toBeLessThan(16 * MIB);
    // It goes on where the client reads on.
    socket.resume();
    await until('more is sent', () => sent.bytes > held + 8 * MIB);
    socket.destroy();
    await until('the server is left', () => sent.gone);
    await until('the guard forgot the stream', () => guard.liveStreams.count() === 0);
  });

  it('reaches the server where a rule takes its time', async () => {
    close();
    const sent = flood();
    const call = openCall(bench.url, RULES);
    await pause(1_200);
    expect(sent.bytes).toBeLessThan(16 * MIB);
    open();
    const held = sent.bytes;
    await until('more is sent', () => sent.bytes > held + 8 * MIB);
    call.abort();
    await until('the server is left', () => sent.gone);
  });
});

describe('a client that leaves', () => {
  it.each(['application/json', 'text/event-stream'])(
    'while a rule is at work is left by the server too (%s)',
    async (type) => {
      close();
      let closed: Promise<unknown> = Promise.resolve();
      let reached = false;
      bench.server = (_, response) => {
        reached = true;
        closed = once(response, 'close');
        response.writeHead(200, { 'content-type': type });
        response.write(type === 'application/json' ? '{"jsonrpc":"2.0",' : EVENT);
      };
      const call = openCall(bench.url, RULES);
      await until('the server is asked', () => reached);
      await until('the guard has the stream', () => guard.liveStreams.count() === 1);
      await pause(50);
      call.abort();
      await closed;
      await until('the guard forgot the stream', () => guard.liveStreams.count() === 0);
      open();
      await pause(20);
      expect(guard.logged('processing stream failed')).toEqual([]);
      expect(await guard.metricsText()).toMatch(/mcpgw_ext_proc_held_bytes\{[^}]*\} 0/);
    },
  );
});
