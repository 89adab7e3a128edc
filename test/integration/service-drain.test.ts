// How a service of ours ends, on a real process: who is asked hears no first, what runs is waited for, and the status says
// how it went.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { getStatus, loopback } from '#provision/processes/readiness.ts';
import { findFreePorts } from '#test/support/free-ports.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** A service with one slow answer, whose part can be told to hang or to throw. */
const PROGRAM = `
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseLocalAddress } from '${ROOT}/runtime/address.ts';
import { bindPort, closeServer, drainHttp } from '${ROOT}/runtime/http-listener.ts';
import { runService } from '${ROOT}/runtime/lifecycle.ts';
import { createLogger } from '${ROOT}/runtime/logger.ts';
import { createMetrics } from '${ROOT}/runtime/metrics.ts';
import { startOpsServer } from '${ROOT}/runtime/ops-server.ts';
const { OPS, PORT, MOOD } = process.env;
const logger = createLogger('sample', 'info');
runService(logger, async (lifecycle) => {
  const server = createServer((request, response) => {
    setTimeout(() => response.end('done'), request.url === '/slow' ? 800 : 0);
  });
  drainHttp(lifecycle, 'http', { server, close: () => closeServer(server) });
  await bindPort({ host: '127.0.0.1', port: Number(PORT) }, (place) => new Promise((resolve) => server.listen(place, resolve)));
  lifecycle.onStop('mood', async () => {
    if (MOOD === 'stuck') await sleep(60_000);
    if (MOOD === 'broken') throw new Error('cannot');
  });
  const address = parseLocalAddress('127.0.0.1:' + OPS).value;
  await startOpsServer(lifecycle, { address, metrics: createMetrics('sample'), readiness: () => ({ ready: true, facts: {} }) });
  logger.info('up');
});
`;

let directory: string;
let children: ChildProcess[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mcpgw-drain-'));
  writeFileSync(join(directory, 'program.ts'), PROGRAM);
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const start = async (variables: Readonly<Record<string, string>> = {}, ports?: readonly number[]) => {
  const [ops = 0, port = 0] = ports ?? (await findFreePorts(2));
  const env = { ...process.env, OPS: String(ops), PORT: String(port), ...variables };
  const child = spawn(process.execPath, [join(directory, 'program.ts')], { cwd: ROOT, env });
  children.push(child);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  await expect.poll(() => child.exitCode !== null || output.includes('"up"'), { timeout: 20_000 }).toBe(true);
  return { child, ops, port, exited, output: () => output };
};

const readiness = (ops: number) => getStatus(loopback(ops), '/readyz');

describe('a service that is told to end', () => {
  it('says first that it is not ready, goes on for its delay, and ends with 0', async () => {
    const { child, ops, port, exited, output } = await start({ DRAIN_DELAY_SECONDS: '2' });
    expect(await readiness(ops)).toBe(200);
    child.kill('SIGTERM');
    await expect.poll(() => readiness(ops)).toBe(503);
    expect(await getStatus(loopback(ops), '/healthz')).toBe(200);
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    expect(await exited, output()).toBe(0);
  });

  it('answers what was begun, and takes a signal that comes twice at once for one', async () => {
    const { child, port, exited, output } = await start();
    const slow = fetch(`http://127.0.0.1:${port}/slow`).then((response) => response.text());
    await sleep(300);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect(await slow).toBe('done');
    expect(await exited, output()).toBe(0);
  });

  it.each([
    ['stuck', 'drain_overdue', '"part":"mood"'],
    ['broken', 'part_failed', '"parts":["mood"]'],
  ])('with a part that is %s ends with 1 and says %s', async (mood, reason, part) => {
    const { child, exited, output } = await start({ MOOD: mood, DRAIN_SECONDS: '1' });
    child.kill('SIGTERM');
    expect(await exited).toBe(1);
    expect(output()).toContain(`"reason":"${reason}"`);
    expect(output()).toContain(part);
  });

  it('once more, later, ends at once with 1 and says second_signal', async () => {
    const { child, exited, output } = await start({ MOOD: 'stuck', DRAIN_SECONDS: '60' });
    child.kill('SIGTERM');
    await sleep(1_500);
    child.kill('SIGTERM');
    expect(await exited).toBe(1);
    expect(output()).toContain('"reason":"second_signal"');
  });

  it('names a limit that is none, and does not start', async () => {
    const { exited, output } = await start({ DRAIN_SECONDS: 'soon' });
    expect(await exited).toBe(1);
    expect(output()).toContain('DRAIN_SECONDS');
  });
});

describe('a successor', () => {
  it('shares the port, so that no moment is without a listener; a second one that is none is refused', async () => {
    const first = await start();
    const second = await start({ OPS: '0' }, [0, first.port]);
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain('TAKE_OVER');
    let isOver = false;
    let asked = 0;
    const resets: unknown[] = [];
    const ask = () =>
      fetch(`http://127.0.0.1:${first.port}/`, { headers: { connection: 'close' } }).then((got) =>
        got.text(),
      );
    const asking = (async () => {
      for (; !isOver; asked += 1)
        await ask().catch((thrown: Error & { readonly cause?: { readonly code?: string } }) => {
          resets.push(thrown.cause?.code);
          // A GET may be asked again after a reset (RFC 9110 section 9.2.2), and the next one must find the successor.
          return ask();
        });
    })();
    const [ops = 0] = await findFreePorts(1);
    await start({ TAKE_OVER: 'true' }, [ops, first.port]);
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);
    await sleep(200);
    isOver = true;
    await asking;
    expect(asked).toBeGreaterThan(10);
    // What waits in the queue of a listener that closes, Linux resets: one asker can have met that moment once at most.
    expect(['', 'ECONNRESET']).toContain(resets.join());
  });
});
