// The guard fails, at every point of an answer, on the real Envoy: killed, stopped, its connection broken after any byte, its
// stream failed. Nothing that it has not judged reaches a client.

import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerRules, pinnedTool } from '#test/support/answer-rules.ts';
import { type CuttingProxy, startCuttingProxy } from '#test/support/cutting-proxy.ts';
import { type GuardBench, type ServerProtocol, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard, type TestGuard } from '#test/support/ext-proc-guard.ts';
import { createGuardProcess } from '#test/support/guard-process.ts';
import {
  callGuarded,
  type GuardedAnswer,
  openCall,
  ordersOff,
  ordersTools,
  toolsAnswer,
} from '#test/support/guarded-call.ts';

const LIMITS = { maxBodyBytes: 200_000, maxEventBytes: 50_000 };
const MARKER = 'nobody-may-see-this';
const LIST = toolsAnswer(['a', MARKER]);
const HALF = LIST.indexOf(MARKER) + 4;

const FORMS = {
  json: { type: 'application/json', pieces: [LIST.slice(0, 30), LIST.slice(30, HALF), LIST.slice(HALF)] },
  sse: {
    type: 'text/event-stream',
    pieces: [': open\n\n', `data: ${LIST.slice(0, HALF)}`, `${LIST.slice(HALF)}\n`, `\ndata: ${LIST}\n\n`],
  },
} as const;
type Form = keyof typeof FORMS;

const pause = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

/** Answers `/{form}`, doing at each point what it is told: before its head (-1), before each piece, before its end. */
const serve = (
  bench: GuardBench,
  at: (point: number, path: string) => Promise<unknown>,
  trailers: boolean,
): void => {
  bench.server = async (request, response: ServerResponse) => {
    const path = request.url ?? '';
    const { type, pieces } = FORMS[path.split('/')[1] as Form];
    await at(-1, path);
    response.writeHead(200, { 'content-type': type });
    response.flushHeaders();
    for (const [point, piece] of pieces.entries()) {
      await at(point, path);
      response.write(piece);
    }
    await at(pieces.length, path);
    if (trailers) response.addTrailers({ 'x-end': 'yes' });
    response.end();
  };
};

const leaks = ({ text, headers }: GuardedAnswer): boolean =>
  (text + JSON.stringify(headers)).includes(MARKER);

/** An answer that did not come is none that leaks. */
const settle = (answer: Promise<GuardedAnswer>): Promise<GuardedAnswer | undefined> =>
  answer.catch(() => undefined);

const isWhole = (answer: GuardedAnswer | undefined): boolean =>
  answer?.end === 'whole' && answer.status === 200;

const PROTOCOLS: readonly ServerProtocol[] = ['http1', 'http2'];

describe.each(PROTOCOLS)('a connection to the guard, with a server of %s,', (protocol) => {
  let bench: GuardBench;
  let proxy: CuttingProxy;
  let guard: TestGuard;

  beforeAll(async () => {
    guard = createTestGuard(LIMITS);
    // The stream answers twice.
    guard.rules = answerRules({ tools: [pinnedTool('a')], guard: { results: 'off' } });
    bench = await startGuardBench(async (path) => {
      const stopGuard = await guard.start(`${path}.guard`);
      proxy = await startCuttingProxy({ at: path, guard: `${path}.guard` });
      return async () => {
        await proxy.stop();
        await stopGuard();
      };
    }, protocol);
    serve(bench, () => pause(1), false);
  });
  afterAll(() => bench?.stop());

  it('that holds lets pass what may be seen, and the marker is there to be found', async () => {
    for (const form of ['json', 'sse']) {
      const answer = await callGuarded(`${bench.url}/${form}`, ordersTools(['a']));
      expect({ whole: isWhole(answer), shows: answer.text.includes('"a"'), leaks: leaks(answer) }).toEqual({
        whole: true,
        shows: true,
        leaks: false,
      });
    }
    expect(leaks(await callGuarded(`${bench.url}/sse`, ordersOff()))).toBe(true);
  });

  it.each([
    ['json', 'replied'],
    ['json', 'asked'],
    ['sse', 'replied'],
    ['sse', 'asked'],
  ] as const)('may break anywhere: %s, by what is %s', async (form, side) => {
    const stride = side === 'replied' ? 7 : 29;
    let cuts = 0;
    for (let afterBytes = 0; ; afterBytes += stride) {
      proxy.arm({ side, afterBytes, fault: 'break' });
      const answer = await settle(callGuarded(`${bench.url}/${form}`, ordersTools(['a'])));
      expect(answer !== undefined && leaks(answer), `after ${afterBytes} bytes`).toBe(false);
      if (!proxy.hasCut()) {
        expect(isWhole(answer)).toBe(true);
        break;
      }
      cuts += 1;
    }
    expect(cuts).toBeGreaterThan(20);
  });

  it.each(['json', 'sse'] as const)('may stall anywhere: %s', async (form) => {
    // Each costs Envoy's whole patience: a few bytes into the replies, and further on.
    for (const afterBytes of [60, 200]) {
      proxy.arm({ side: 'replied', afterBytes, fault: 'stall' });
      const answer = await settle(callGuarded(`${bench.url}/${form}`, ordersTools(['a'])));
      expect(answer !== undefined && leaks(answer), `after ${afterBytes} bytes`).toBe(false);
      if (proxy.hasCut()) expect(isWhole(answer)).toBe(false);
    }
    proxy.arm(undefined);
  });

  it.each(['json', 'sse'] as const)(
    'on which the stream is failed, at each point of an answer: %s',
    async (form) => {
      for (let failAt = 0; failAt <= FORMS[form].pieces.length; failAt += 1) {
        serve(
          bench,
          async (point) => {
            await pause(10);
            if (point === failAt) guard.liveStreams.terminate(() => true, 'command');
          },
          protocol === 'http2',
        );
        const answer = await settle(callGuarded(`${bench.url}/${form}`, ordersTools(['a'])));
        // With the error in the place of its last bytes a stream may end in good order.
        const isTold = answer?.text.includes('stream_terminated') === true;
        expect(
          { leaks: answer !== undefined && leaks(answer), whole: isWhole(answer) && !isTold },
          `at ${failAt}`,
        ).toEqual({
          leaks: false,
          whole: false,
        });
      }
      serve(bench, () => pause(1), false);
    },
  );
});

describe.each(PROTOCOLS)('the guard as a process, with a server of %s,', (protocol) => {
  const guard = createGuardProcess();
  let bench: GuardBench;

  beforeAll(async () => {
    bench = await startGuardBench(guard.start, protocol);
    serve(bench, () => pause(1), false);
    const orders = ordersTools(['a'], { sequence: guard.sequence() });
    expect(isWhole(await callGuarded(`${bench.url}/json`, orders))).toBe(true);
  });
  afterAll(() => bench?.stop());

  /** Calls that stand at every point of an answer, and what lets them go on. */
  const park = async () => {
    let parked = 0;
    let goOn = (): void => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const spots = (Object.keys(FORMS) as Form[]).flatMap((form) =>
      Array.from({ length: FORMS[form].pieces.length + 2 }, (_, index) => `/${form}/${index - 1}`),
    );
    serve(
      bench,
      async (point, path) => {
        await pause(10);
        if (path.split('/')[2] !== String(point)) return;
        parked += 1;
        await gate;
      },
      protocol === 'http2',
    );
    const orders = ordersTools(['a'], { sequence: guard.sequence() });
    const calls = spots.map((path) => openCall(`${bench.url}${path}`, orders));
    while (parked < spots.length) await pause(10);
    await pause(50);
    return { spots, goOn, answers: Promise.all(calls.map(({ answer }) => settle(answer))) };
  };

  // The one that kills it comes last.
  it.each(['SIGSTOP', 'SIGKILL'] as const)('may get %s at any point of an answer', async (signal) => {
    const { spots, goOn, answers } = await park();
    guard.child().kill(signal);
    await pause(50);
    goOn();
    for (const [index, answer] of (await answers).entries())
      expect(
        { leaks: answer !== undefined && leaks(answer), whole: isWhole(answer) },
        `parked at ${spots[index]}`,
      ).toEqual({ leaks: false, whole: false });
    guard.child().kill('SIGCONT');
  });
});
