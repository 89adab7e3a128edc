// `npm run bench:response-streams`: what 1,000 open streams cost the response guard, in memory of its process: watched, judged,
// judged with half an event held, and judged while compressed. Told is what is left when the garbage has been collected.

import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import { type GuardOrders, guardOrdersToJson } from '#core/guard-orders.ts';
import { ORDERS_HEADER, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createGuardProcess } from '#test/support/guard-process.ts';
import { ordersOff } from '#test/support/guarded-call.ts';

const STREAMS = 1_000;
const AT_ONCE = 50;
const SETTLE_MS = 1_500;
const HALF_EVENT = `data: {"jsonrpc":"2.0","method":"${'x'.repeat(1_000)}`;

const COLLECT = 'data:text/javascript,process.on("SIGUSR2",()=>globalThis.gc())';

const guard = createGuardProcess(
  { responseGuard: { findings: [{ detector: 'hidden-text', action: 'redact' }] } },
  ['--expose-gc', '--import', COLLECT],
);
const bench = await startGuardBench(guard.start);
const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY });

type Way = { readonly name: string; readonly guard: GuardOrders['guard']; readonly path: string };
const WAYS: readonly Way[] = [
  { name: 'watched', guard: 'off', path: '/plain' },
  { name: 'judged', guard: 'rules', path: '/plain' },
  { name: 'judged, 1 KB of an event held', guard: 'rules', path: '/half' },
  { name: 'judged, from gzip', guard: 'rules', path: '/gzip' },
];

const OPEN = 'data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n';

bench.server = (call, response: ServerResponse) => {
  const isGzip = call.url === '/gzip';
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    ...(isGzip ? { 'content-encoding': 'gzip' } : {}),
  });
  if (!isGzip) {
    response.write(OPEN);
    if (call.url === '/half') response.write(HALF_EVENT);
    return;
  }
  const encoder = createGzip();
  encoder.on('data', (bytes: Buffer) => response.write(bytes));
  encoder.write(OPEN);
  encoder.flush(constants.Z_SYNC_FLUSH);
};

const open = async ({ guard: mode, path }: Way): Promise<ClientRequest> => {
  const orders = ordersOff({ guard: mode, tool: 'echo', era: 'stateless', sequence: guard.sequence() });
  const headers = { [ORDERS_HEADER]: JSON.stringify(guardOrdersToJson(orders)) };
  const call = request(`${bench.url}${path}`, { method: 'POST', headers, agent });
  call.on('error', () => {});
  call.end('{}');
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  await once(response, 'data');
  return call;
};

const memory = async () => {
  await sleep(SETTLE_MS);
  guard.child().kill('SIGUSR2');
  await sleep(SETTLE_MS);
  return {
    resident: await guard.residentBytes(),
    heap: await guard.metric('mcpgw_nodejs_heap_size_used_bytes'),
    external: await guard.metric('mcpgw_nodejs_external_memory_bytes'),
    held: await guard.metric('mcpgw_ext_proc_held_bytes'),
  };
};

const each = (after: number, before: number): string =>
  `${((after - before) / STREAMS / 1024).toFixed(1)} KiB`;

const measure = async (way: Way): Promise<void> => {
  const before = await memory();
  const calls: ClientRequest[] = [];
  while (calls.length < STREAMS)
    calls.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => open(way)))));
  const after = await memory();
  const counted = await guard.metric('mcpgw_ext_proc_open_streams');
  if (counted !== STREAMS) throw new Error(`${counted} streams are open`);
  console.log(
    `${STREAMS} streams ${way.name}: each ${each(after.resident, before.resident)} resident, ` +
      `${each(after.heap, before.heap)} of heap, ${each(after.external, before.external)} outside of it; ` +
      `${after.held} bytes held; the process ${(after.resident / 2 ** 20).toFixed(0)} MiB`,
  );
  for (const call of calls) call.destroy();
  while ((await guard.metric('mcpgw_ext_proc_open_streams')) > 0) await sleep(100);
};

try {
  // What is reserved once, for the first thousand, is no stream's.
  for (const way of [WAYS[1] as Way, ...WAYS]) await measure(way);
} finally {
  agent.destroy();
  await bench.stop();
}
