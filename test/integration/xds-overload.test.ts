// Bodies that are sent but never finished, by callers nobody knows: the memory they take has an end, calls are refused in
// words while it lasts, and come through again.

import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { httpCall } from '#test/support/http-call.ts';
import {
  type Gateway,
  startGateway,
  startXdsServer,
  until,
  type XdsServer,
} from '#test/support/xds-gateway.ts';
import { startUpstream, type Upstream } from '#test/support/xds-upstream.ts';
import { snapshotOf, tenantOf } from '#test/support/xds-world.ts';

const MIB = 1024 * 1024;
const MAX_HEAP_BYTES = 96 * MIB;
const BODY_BYTES = 3 * MIB;
const ATTACKERS = 200;

let gateway: Gateway;
let xds: XdsServer;
let upstream: Upstream;

const answer = () => httpCall(gateway.origin, '/mcp/one').catch(() => undefined);
const heapBytes = async (): Promise<number> => Number(JSON.parse(await gateway.admin('/memory')).allocated);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const sendUnfinished = (bytes: number): Socket => {
  const socket = connect(Number(new URL(gateway.origin).port), '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(`POST /mcp/one HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes + 1}\r\n\r\n`);
  socket.write(Buffer.alloc(bytes, 0x20));
  return socket;
};

const recovered = () => until('calls come through', async () => (await answer())?.status === 200, 30_000);

beforeAll(async () => {
  upstream = await startUpstream('one');
  gateway = await startGateway({ maxHeapBytes: MAX_HEAP_BYTES });
  xds = await startXdsServer({ address: gateway.xdsAddress, settings: gateway.settings });
  xds.update(snapshotOf(1, tenantOf('default', { one: { '1.0.0': [upstream.url] } })));
  await until('Envoy serves', async () => (await answer())?.status === 200);
});
afterAll(async () => {
  await xds?.stop();
  await gateway?.stop();
  await upstream?.stop();
});

it('calls are refused in words while memory runs out', async () => {
  const sockets: Socket[] = [];
  let last = await answer();
  // Large ones first, then so small that the last steps are not overlooked between two looks of Envoy.
  while (last?.status === 200 && sockets.length < 2_000) {
    const isFar = (await heapBytes()) < 0.75 * MAX_HEAP_BYTES;
    sockets.push(sendUnfinished(isFar ? MIB : MIB / 8));
    await pause(isFar ? 5 : 40);
    last = await answer();
  }
  expect(last?.status).toBe(503);
  expect(JSON.parse(last?.text ?? '')).toMatchObject({
    jsonrpc: '2.0',
    id: null,
    error: { data: { reason: 'gateway_overloaded', remedy: 'retry-later' } },
  });
  for (const socket of sockets) socket.destroy();
  await recovered();
});

it('unfinished bodies fill no more than the memory there is, however many are sent', async () => {
  const sockets: Socket[] = [];
  for (let sent = 0; sent < ATTACKERS; sent += 1) {
    sockets.push(sendUnfinished(BODY_BYTES));
    await pause(20);
  }
  expect((await answer())?.status).not.toBe(200);
  // Envoy looks every quarter of a second; what arrives in between comes on top.
  expect(await heapBytes()).toBeLessThan(2 * MAX_HEAP_BYTES);
  expect(await gateway.admin('/stats?filter=tcp_listener_accept.shed_load_count')).toMatch(/: [1-9]/);
  for (const socket of sockets) socket.destroy();
  await recovered();
});

it('over HTTP/2 the streams that hold most are ended, so that others are served though nobody let go', async () => {
  const sessions = Array.from({ length: 4 }, () => connectHttp2(gateway.origin));
  for (const session of sessions) session.on('error', () => undefined);
  const headers = { ':method': 'POST', ':path': '/mcp/one', 'content-length': BODY_BYTES + 1 };
  for (let sent = 0; sent < 60; sent += 1) {
    const session = sessions[sent % sessions.length];
    if (session === undefined || session.closed || session.destroyed) continue;
    const stream = session.request(headers);
    stream.on('error', () => undefined).resume();
    stream.write(Buffer.alloc(BODY_BYTES, 0x20));
    await pause(40);
  }
  await recovered();
  const count = await gateway.admin('/stats?filter=reset_high_memory_stream.count');
  expect(Number(/: (\d+)/.exec(count)?.[1])).toBeGreaterThan(0);
  for (const session of sessions) session.destroy();
});
