// One response guard takes the place of another under the real Envoy and constant load: answers that are open finish with
// the one that leaves, calls that come go to its successor, and what outlives the drain is told so, breaks off, and passes nothing unseen.

import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pinnedTool } from '#test/support/answer-rules.ts';
import { type GuardBench, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createGuardProcess } from '#test/support/guard-process.ts';
import {
  callGuarded,
  type GuardedAnswer,
  openCall,
  ordersTools,
  toolsAnswer,
} from '#test/support/guarded-call.ts';

const DRAIN_SECONDS = 4;
const BEAT_MS = 100;
const STREAM_BEATS = [5, 10, 15, 20, 25];
/** More than any test lasts. */
const ENDLESS_BEATS = 1_000;
const WORKERS = 4;
/** nghttp2 takes 1,000 streams that are reset in a moment, and 33 a second beside, before it ends a connection by default. */
const MANY_ANSWERS = 1_600;

const ORDERS = ordersTools(['shown'], { sequence: 1 });
const ANSWER = toolsAnswer(['shown', 'hidden']);

const tools = [pinnedTool('shown'), pinnedTool('hidden')];
const guard = createGuardProcess({}, [], tools, { DRAIN_SECONDS: String(DRAIN_SECONDS) });
let bench: GuardBench;

const beat = (response: ServerResponse, beats: number): void => {
  let left = beats;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) response.write(': beat\n\n');
    else response.end(`data: ${ANSWER}\n\n`);
  }, BEAT_MS);
  response.on('close', () => clearInterval(timer));
};

const openStream = (beats: number) => openCall(`${bench.url}/?beats=${beats}`, ORDERS);

/** What is wrong with an answer, in one line. */
const faultOf = ({ status, end, text }: GuardedAnswer): string | undefined =>
  status === 200 && end === 'whole' && text.includes('"shown"') && !text.includes('hidden')
    ? undefined
    : `${status} ${end} ${text.slice(-100)}`;

/** Calls and streams that never pause, each judged; a fault is never tried again. */
const startLoad = () => {
  const faults: string[] = [];
  const done = { calls: 0, streams: 0 };
  let stopped = false;
  const repeat = async (what: keyof typeof done, call: () => Promise<GuardedAnswer>): Promise<void> => {
    while (!stopped) {
      const fault = await call().then(faultOf, String);
      if (fault !== undefined) faults.push(`${what} ${fault}`);
      done[what] += 1;
    }
  };
  const running = [
    ...Array.from({ length: WORKERS }, () => repeat('calls', () => callGuarded(bench.url, ORDERS))),
    ...STREAM_BEATS.flatMap((beats) => [beats, beats]).map((beats) =>
      repeat('streams', () => openStream(beats).answer),
    ),
  ];
  return {
    done,
    faults,
    stop: async () => {
      stopped = true;
      await Promise.all(running);
    },
  };
};

beforeAll(async () => {
  bench = await startGuardBench(guard.start);
  bench.server = (request, response) => {
    const beats = Number(new URL(request.url ?? '/', bench.url).searchParams.get('beats') ?? '0');
    response.writeHead(200, { 'content-type': beats === 0 ? 'application/json' : 'text/event-stream' });
    if (beats === 0) response.end(ANSWER);
    else beat(response, beats);
  };
}, 60_000);
afterAll(() => bench?.stop());

describe('a response guard', () => {
  it('keeps its streams however many answers end beside them', async () => {
    const stream = openStream(ENDLESS_BEATS);
    const load = startLoad();
    const isBroken = stream.answer.then(() => true);
    while (load.done.calls < MANY_ANSWERS)
      expect(await Promise.race([isBroken, sleep(BEAT_MS).then(() => false)])).toBe(false);
    await load.stop();
    stream.abort();
    expect(load.faults).toEqual([]);
  }, 60_000);

  it('is replaced, and no call fails and no stream is cut', async () => {
    const load = startLoad();
    const { ended } = await guard.replace();
    expect(await ended).toBe(0);
    const before = load.done.calls;
    await sleep(BEAT_MS);
    await load.stop();
    expect(load.faults).toEqual([]);
    expect(load.done.calls).toBeGreaterThan(before);
    expect(load.done.streams).toBeGreaterThan(STREAM_BEATS.length);
  }, 60_000);

  it('ends what outlives its drain with an error to its client, and says in its status that it did', async () => {
    const stream = openStream(ENDLESS_BEATS);
    await stream.until(': beat');
    const { ended } = await guard.replace();
    expect(await ended).toBe(1);
    const answer = await stream.answer;
    expect(answer).toMatchObject({ status: 200, end: 'broken' });
    const [, last = ''] = answer.text.split('event: message\ndata: ');
    expect(JSON.parse(last)).toMatchObject({
      id: ORDERS.jsonRpcId,
      error: { code: -31503, data: { reason: 'stream_terminated', requestId: ORDERS.requestId } },
    });
    expect(faultOf(await callGuarded(bench.url, ORDERS))).toBeUndefined();
  }, 60_000);
});
