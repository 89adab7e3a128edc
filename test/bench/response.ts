// `npm run bench:response`: what the response guard adds to an answer, on the real Envoy with the guard in a process of its
// own. Ways take turns round by round, and what is told are the differences and ratios inside a round. `none`: the filter
// is skipped, as for a plain JSON answer with nothing to judge. `watch`: a stream that is only kept so that it can be ended.
// `rules`: every message is judged. With BENCH_CPU_PROFILE=<directory> the guard writes a profile there.

import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GuardOrders, guardOrdersToJson } from '#core/guard-orders.ts';
import { ORDERS_HEADER, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createGuardProcess } from '#test/support/guard-process.ts';
import { ordersOff } from '#test/support/guarded-call.ts';

const ROUNDS = 15;
const STREAMS = 8;
const EVENTS = 50;
const EVENT_PAUSE_MS = 2;
const BURST = 2_000;
const CALLS = 100;

const profile = process.env['BENCH_CPU_PROFILE'];
const guard = createGuardProcess(
  {
    responseGuard: {
      findings: [
        { detector: 'hidden-text', action: 'redact', messages: ['tool-result', 'progress'] },
        { detector: 'secrets', action: 'redact', messages: ['tool-result', 'progress'] },
      ],
    },
  },
  profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
);
const bench = await startGuardBench(guard.start);
const agent = new Agent({ keepAlive: true });

const WAYS = ['none', 'watch', 'rules'] as const;
type Way = (typeof WAYS)[number];

const ordersFor = (way: Way): GuardOrders =>
  ordersOff({
    guard: way === 'rules' ? 'rules' : 'off',
    tool: 'echo',
    era: 'stateless',
    sequence: guard.sequence(),
  });
const typeFor = (way: Way): string => (way === 'none' ? 'application/json' : 'text/event-stream');

const ask = async (path: string, way: Way): Promise<IncomingMessage> => {
  const headers = { [ORDERS_HEADER]: JSON.stringify(guardOrdersToJson(ordersFor(way))) };
  const call = request(`${bench.url}${path}`, { method: 'POST', headers, agent });
  call.end('{}');
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  return response.setEncoding('utf8');
};

const LINE =
  'A line of the kind that tools give back, of some hundred characters, with nothing in it to find. ';
const eventAt = (sentAt: number): string =>
  `data: ${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params: { sentAt, message: LINE } })}\n\n`;
const RESULT = JSON.stringify({
  jsonrpc: '2.0',
  id: 'call-1',
  result: { content: [{ type: 'text', text: LINE.repeat(100) }] },
});

bench.server = async (call, response) => {
  const [, kind, way] = (call.url ?? '').split('/');
  if (kind === 'json') {
    response.writeHead(200, { 'content-type': 'application/json' }).end(RESULT);
    return;
  }
  response.writeHead(200, { 'content-type': typeFor(way as Way) });
  response.socket?.setNoDelay(true);
  for (let event = 0; event < (kind === 'burst' ? BURST : EVENTS); event += 1) {
    response.write(eventAt(performance.now()));
    if (kind === 'stream') await sleep(EVENT_PAUSE_MS);
  }
  response.end();
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Milliseconds from the call to its first event, and of each event from the server to the client. */
const stream = async (way: Way): Promise<{ readonly first: number; readonly events: readonly number[] }> => {
  const startedAt = performance.now();
  const response = await ask(`/stream/${way}`, way);
  const events: number[] = [];
  let first = Number.NaN;
  for await (const piece of response) {
    const now = performance.now();
    if (events.length === 0) first = now - startedAt;
    for (const [, sentAt] of String(piece).matchAll(/"sentAt":([\d.]+)/g)) events.push(now - Number(sentAt));
  }
  if (events.length !== EVENTS) throw new Error(`${events.length} events came of ${EVENTS}, ${way}`);
  return { first, events: events.slice(1) };
};

const streams = async (way: Way) => {
  const all = [];
  for (let index = 0; index < STREAMS; index += 1) all.push(await stream(way));
  return { first: median(all.map(({ first }) => first)), event: median(all.flatMap(({ events }) => events)) };
};

/** Microseconds an event of a stream that comes as fast as it is taken. */
const burst = async (way: Way): Promise<number> => {
  const startedAt = performance.now();
  let events = 0;
  for await (const piece of await ask(`/burst/${way}`, way))
    events += String(piece).split('"sentAt"').length - 1;
  if (events < BURST * 0.99) throw new Error(`${events} events came of ${BURST}, ${way}`);
  return ((performance.now() - startedAt) / BURST) * 1_000;
};

const calls = async (way: 'none' | 'rules'): Promise<number> => {
  const times: number[] = [];
  for (let index = 0; index < CALLS; index += 1) {
    const startedAt = performance.now();
    let body = '';
    for await (const piece of await ask('/json', way)) body += String(piece);
    if (body !== RESULT) throw new Error(`another answer came back, ${way}`);
    times.push(performance.now() - startedAt);
  }
  return median(times);
};

const spread = (values: readonly number[], unit: string, digits = 2): string => {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[0] ?? Number.NaN, sorted.at(-1) ?? Number.NaN];
  return `${median(values).toFixed(digits)}${unit} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
};

/** The same for each way in turn, round by round; the first round warms up and is not told. */
const inRounds = async <T extends string>(
  ways: readonly T[],
  measure: (way: T) => Promise<number>,
): Promise<Readonly<Record<T, readonly number[]>>> => {
  const found = Object.fromEntries(ways.map((way) => [way, [] as number[]])) as Record<T, number[]>;
  for (let round = 0; round <= ROUNDS; round += 1)
    for (let turn = 0; turn < ways.length; turn += 1) {
      const way = ways[(round + turn) % ways.length] as T;
      const value = await measure(way);
      if (round > 0) found[way].push(value);
    }
  return found;
};

const tell = (what: string, unit: string, found: Readonly<Record<string, readonly number[]>>): void => {
  const { none = [] } = found;
  for (const [way, values] of Object.entries(found)) {
    const added = values.map((value, round) => value - (none[round] ?? Number.NaN));
    const ratios = values.map((value, round) => value / (none[round] ?? Number.NaN));
    const beside = way === 'none' ? '' : `; added ${spread(added, unit)}; times none ${spread(ratios, '')}`;
    console.log(`${what}, ${way}: ${spread(values, unit)}${beside}`);
  }
};

const countedHops = async (work: () => Promise<unknown>): Promise<number> => {
  const before = await guard.metric('mcpgw_ext_proc_answers_total');
  await work();
  return (await guard.metric('mcpgw_ext_proc_answers_total')) - before;
};

try {
  tell('to the first event', ' ms', await inRounds(WAYS, async (way) => (await streams(way)).first));
  tell('an event, one every 2 ms', ' ms', await inRounds(WAYS, async (way) => (await streams(way)).event));
  tell('an event, as fast as they are taken', ' µs', await inRounds(WAYS, burst));
  tell('a JSON answer of 10 KB', ' ms', await inRounds(['none', 'rules'] as const, calls));
  console.log(
    `hops of ${CALLS} JSON answers: none ${await countedHops(() => calls('none'))}, rules ${await countedHops(() => calls('rules'))}`,
  );
} finally {
  agent.destroy();
  await bench.stop();
}
