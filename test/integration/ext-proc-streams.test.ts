// The response guard on the real Envoy: live streams flow, can be ended, and never go on unguarded, however it dies.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isMeant } from '#ext-proc/termination.ts';
import { type GuardBench, startGuardBench } from '#test/support/ext-proc-envoy.ts';
import { createTestGuard, type TestGuard } from '#test/support/ext-proc-guard.ts';
import { createFeedDouble } from '#test/support/feed-double.ts';
import {
  callGuarded,
  openCall,
  ordersOff,
  ordersTools,
  SERVER,
  toolsAnswer,
} from '#test/support/guarded-call.ts';

const LIMITS = { maxBodyBytes: 200_000, maxEventBytes: 50_000 };
const HIDDEN = `data: ${toolsAnswer(['hidden'])}\n\n`;

let bench: GuardBench;
/** The answer the server is giving; the test writes to it. */
let live: ServerResponse;
let serverClosed: Promise<unknown>;

const pause = (timeMs: number) => new Promise((resolve) => setTimeout(resolve, timeMs));

const until = async (what: string, condition: () => boolean): Promise<void> => {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (condition()) return;
    await pause(25);
  }
  throw new Error(`not within 5 s: ${what}`);
};

/** A killed process leaves its socket file behind: only an answer proves that somebody listens. */
const untilListening = async (path: string): Promise<void> => {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const socket = connect({ path });
    const listening = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (listening) return;
    await pause(25);
  }
  throw new Error(`nobody listens on ${path} after 10 s`);
};

const readiness = async (socketPath: string): Promise<unknown> => {
  const [response] = (await once(get({ socketPath, path: '/readyz' }), 'response')) as [IncomingMessage];
  return json(response);
};

const serveLive = (): void => {
  bench.server = (_, response) => {
    live = response;
    serverClosed = once(response, 'close');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': open\n\n');
  };
};

const openLive = async (orders = ordersOff()) => {
  const call = openCall(bench.url, orders);
  await call.until(': open');
  return call;
};

const command = (fields: { serverId?: string; principal?: string }) => ({
  kind: 'terminate-streams' as const,
  id: 'event-1',
  tenantId: 'acme',
  reason: 'test',
  actor: 'test',
  at: '2026-01-01T00:00:00Z',
  ...fields,
});

describe('a live stream', () => {
  let guard: TestGuard;

  beforeAll(async () => {
    guard = createTestGuard(LIMITS);
    bench = await startGuardBench(guard.start);
    serveLive();
  });
  afterAll(() => bench?.stop());
  beforeEach(() => guard.reset());

  it.each([
    ['with nothing to judge', ordersOff()],
    ['of lists', ordersTools(['a'])],
  ])('%s is cut within a second of a command, though it is idle', async (_, orders) => {
    const call = await openLive(orders);
    expect(guard.liveStreams.count()).toBe(1);
    const from = performance.now();
    const ended = guard.liveStreams.terminate(
      (found) => isMeant(command({ serverId: 'tracker' }), found),
      'command',
    );
    expect(ended).toBe(1);
    const answer = await call.answer;
    expect(performance.now() - from).toBeLessThan(1_000);
    expect(answer.end).toBe('broken');
    await serverClosed;
    expect(guard.liveStreams.count()).toBe(0);
    expect(guard.logged('stream ended')).toMatchObject([{ cause: 'command', requestId: 'request-1' }]);
  });

  it.each([
    ['with nothing to judge', ordersOff()],
    ['of lists', ordersTools(['hidden'])],
  ])('%s whose server goes on ends with the reason, and nothing more of the server', async (_, orders) => {
    const call = await openLive(orders);
    guard.liveStreams.terminate(() => true, 'revoked');
    live.write(HIDDEN);
    live.write(HIDDEN);
    const answer = await call.answer;
    expect(answer.end).toBe('broken');
    const [before, last = ''] = answer.text.split('event: message\ndata: ');
    expect(before).toBe(': open\n\n');
    expect(JSON.parse(last)).toMatchObject({
      id: orders.jsonRpcId,
      error: { code: -31503, data: { reason: 'stream_terminated', cause: 'revoked' } },
    });
  });

  it('of another caller, server or tenant goes on', async () => {
    const call = await openLive(ordersOff({ principal: 'bob' }));
    const event = command({ serverId: 'tracker', principal: 'alice' });
    expect(guard.liveStreams.terminate((found) => isMeant(event, found), 'command')).toBe(0);
    live.end('data: still here\n\n');
    expect((await call.answer).text).toContain('still here');
  });

  it('that the client leaves is left by the server too, and counts no more', async () => {
    const call = await openLive();
    call.abort();
    await serverClosed;
    await until('the guard forgot the stream', () => guard.liveStreams.count() === 0);
    expect(await guard.metricsText()).toMatch(/mcpgw_ext_proc_open_streams\{[^}]*\} 0/);
  });

  it('ends as the server ends it', async () => {
    const call = await openLive();
    live.end('data: last\n\n');
    const answer = await call.answer;
    expect({ end: answer.end, text: answer.text }).toEqual({
      end: 'whole',
      text: ': open\n\ndata: last\n\n',
    });
    await until('the guard forgot the stream', () => guard.liveStreams.count() === 0);
  });

  it('that the server breaks off in the middle of a list shows nothing of it', async () => {
    const call = await openLive(ordersTools(['hidden']));
    live.write(`data: ${toolsAnswer(['hidden']).slice(0, 40)}`);
    await pause(50);
    live.destroy();
    const answer = await call.answer;
    expect({ end: answer.end, text: answer.text }).toEqual({ end: 'broken', text: ': open\n\n' });
  });
});

describe('an orderly stop of the guard', () => {
  it('opens no door: the stream is judged to its end or broken off', async () => {
    const guard = createTestGuard(LIMITS);
    let stopGuard = async (): Promise<void> => {};
    bench = await startGuardBench(async (path) => {
      stopGuard = await guard.start(path);
      return async () => {};
    });
    try {
      serveLive();
      const call = await openLive(ordersTools(['a']));
      const stopped = stopGuard();
      live.write(HIDDEN);
      await pause(200);
      await stopped;
      live.write(HIDDEN);
      const answer = await call.answer;
      expect(answer.end).toBe('broken');
      expect(answer.text).not.toContain('hidden');
      const after = await callGuarded(bench.url, ordersTools(['a']));
      expect(after.status).toBe(502);
    } finally {
      await bench.stop();
    }
  });
});

describe('the guard as a process', () => {
  let child: ChildProcess;
  let directory: string;
  let socketPath: string;

  const startChild = async (): Promise<void> => {
    child = spawn('node_modules/.bin/node', ['ext-proc/main.ts'], {
      env: {
        PATH: process.env['PATH'],
        MCPGW_RUNTIME_DIR: directory,
        MCPGW_STATE_DIR: join(directory, 'state'),
        EXT_PROC_ADDRESS: `unix:${socketPath}`,
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await untilListening(socketPath);
  };

  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };

  beforeAll(async () => {
    bench = await startGuardBench(async (path, benchDirectory) => {
      socketPath = path;
      directory = benchDirectory;
      await startChild();
      return async () => void (child.exitCode ?? child.signalCode ?? (await kill('SIGKILL')));
    });
  });
  afterAll(() => bench?.stop());
  beforeEach(async () => {
    if (child.exitCode !== null || child.signalCode !== null) await startChild();
    serveLive();
  });

  it('refuses what it has no rules for, says so, and lets pass what needs none', async () => {
    bench.server = (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(toolsAnswer(['a', 'hidden']));
    };
    const answer = await callGuarded(bench.url, ordersTools(['a']));
    expect({ status: answer.status >= 500, leaks: answer.text.includes('hidden') }).toEqual({
      status: true,
      leaks: false,
    });
    expect((await callGuarded(bench.url, ordersOff())).status).toBe(200);
    const ready = await readiness(join(directory, 'ext-proc-ops.sock'));
    expect(ready).toMatchObject({
      ready: false,
      registryConnected: false,
      source: 'none',
      endsStreams: false,
    });
  });

  describe('on the feed of a registry', () => {
    const feed = createFeedDouble();
    let stopFeed: () => Promise<void>;

    beforeAll(async () => {
      stopFeed = await feed.start(join(directory, 'registry-feed.sock'));
    });
    afterAll(() => stopFeed());

    const openOnFeed = async () => {
      feed.change({ enabled: true });
      await untilReady((facts) => facts['sequence'] === feed.sequence());
      return openLive(ordersOff({ sequence: feed.sequence() }));
    };
    const untilReady = async (condition: (facts: Record<string, unknown>) => boolean): Promise<void> => {
      for (let attempt = 0; attempt < 200; attempt += 1) {
        // A socket that a killed process left refuses until the next one has put its own there.
        const facts = await readiness(join(directory, 'ext-proc-ops.sock')).catch(() => ({}));
        if (condition(facts as Record<string, unknown>)) return;
        await pause(25);
      }
      throw new Error('the guard did not take the snapshot within 5 s');
    };

    it.each(['SIGKILL', 'SIGTERM'] as const)(
      'breaks every open stream off when it gets %s',
      async (signal) => {
        await openOnFeed();
        const lists = await openLive(ordersTools(['a'], { sequence: feed.sequence() }));
        const listsLive = live;
        const plain = await openLive();
        await kill(signal);
        listsLive.write(HIDDEN);
        for (const call of [lists, plain]) {
          const answer = await call.answer;
          expect({ end: answer.end, text: answer.text }).toEqual({ end: 'broken', text: ': open\n\n' });
        }
      },
    );

    it('refuses lists while it is away, and lets plain answers be', async () => {
      await kill('SIGKILL');
      bench.server = (_, response) => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(toolsAnswer(['hidden']));
      };
      const list = await callGuarded(bench.url, ordersTools(['a']));
      expect({ status: list.status, leaks: list.text.includes('hidden') }).toEqual({
        status: 502,
        leaks: false,
      });
      expect((await callGuarded(bench.url, ordersOff())).status).toBe(200);
    });

    it.each([
      ['a terminate-streams command', () => feed.command(command({ serverId: SERVER }))],
      ['the kill switch', () => feed.change({ enabled: false })],
    ])('ends an idle stream within a second of %s', async (_, act) => {
      const call = await openOnFeed();
      const from = performance.now();
      act();
      const answer = await call.answer;
      expect(performance.now() - from).toBeLessThan(1_000);
      expect(answer.end).toBe('broken');
    });

    it('refuses a stream that opens on a server switched off meanwhile', async () => {
      const before = feed.sequence();
      feed.change({ enabled: false });
      await untilReady((facts) => facts['sequence'] === feed.sequence());
      const answer = await callGuarded(bench.url, ordersOff({ sequence: before }));
      expect(answer.status).toBe(503);
      expect(answer.text).toContain('stream_terminated');
    });
  });
});
