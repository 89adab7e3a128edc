// Bodies that are sent but never finished, by callers nobody knows: the memory they take has an end, and calls come
// through again when they are gone.

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

const sendUnfinished = (): Socket => {
  const socket = connect(Number(new URL(gateway.origin).port), '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(`POST /mcp/one HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY_BYTES + 1}\r\n\r\n`);
  socket.write(Buffer.alloc(BODY_BYTES, 0x20));
  return socket;
};

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

it('unfinished bodies fill no more than the memory there is', async () => {
  const sockets: Socket[] = [];
  for (let sent = 0; sent < ATTACKERS; sent += 1) {
    sockets.push(sendUnfinished());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const refused = await answer();
  expect(refused?.status).toBe(503);
  expect(JSON.parse(refused?.text ?? '')).toMatchObject({ jsonrpc: '2.0', id: null });
  // Envoy looks every quarter of a second; what arrives in between comes on top.
  expect(await heapBytes()).toBeLessThan(2 * MAX_HEAP_BYTES);
  for (const socket of sockets) socket.destroy();
  await until('calls come through again', async () => (await answer())?.status === 200);
});
