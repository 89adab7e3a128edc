// What clients do to the gateway without any right to it: ten thousand connections that say nothing, and readers that take a
// byte a second of answers they asked for by the hundred.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Experiment } from '#test/chaos/experiment.ts';
import { TENANTS } from '#test/chaos/people.ts';
import { ROOT } from '#test/support/product-process.ts';

const SILENT = 10_000;

/** They lose their places after ten seconds: the fault lasts until that has happened. */
const SILENT_MS = 14_000;

const READERS = 200;
const REQUESTS_EACH = 100;
const BYTE_EVERY_MS = 1_000;

const CROWD = join(ROOT, 'test', 'chaos', 'faults', 'silent-crowd.ts');
const PARENT_WATCH = join(ROOT, 'provision', 'parent-watch.mjs');

/** Resolves once all of them are there. */
const startCrowd = async (port: number): Promise<ChildProcess> => {
  const crowd = spawn(process.execPath, ['--import', PARENT_WATCH, CROWD, String(port), String(SILENT)], {
    env: { ...process.env, MCPGW_PARENT_PID: String(process.pid) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await Promise.race([once(crowd.stdout, 'data'), once(crowd, 'exit')]);
  return crowd;
};

const silentConnections = (): Experiment => {
  let crowd: ChildProcess | undefined;
  return {
    name: `${SILENT} silent connections`,
    promise: 'who is connected is served; the silent lose their places within ten seconds',
    costs: 'calls',
    touches: ['client-envoy'],
    holdMs: SILENT_MS,
    begin: async ({ places }) => {
      crowd = await startCrowd(places.ports.gateway);
    },
    end: async () => void crowd?.kill('SIGKILL'),
  };
};

/** One that asks for more than it reads. */
const startReader = (port: number): { stop(): void } => {
  const path = `/.well-known/oauth-protected-resource/t/${TENANTS[0]?.id}/mcp/tracker`;
  const socket: Socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).pause();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: gateway\r\n\r\n`.repeat(REQUESTS_EACH));
  const timer = setInterval(() => socket.read(1), BYTE_EVERY_MS);
  return {
    stop: () => {
      clearInterval(timer);
      socket.destroy();
    },
  };
};

const slowReaders = (): Experiment => {
  let readers: readonly { stop(): void }[] = [];
  return {
    name: `${READERS} readers of a byte a second`,
    promise: 'what they do not read is held for them alone, and within bounds',
    costs: 'nothing',
    touches: ['client-envoy'],
    begin: async ({ places }) => {
      readers = Array.from({ length: READERS }, () => startReader(places.ports.gateway));
    },
    end: async () => {
      for (const reader of readers) reader.stop();
    },
  };
};

export const HOSTILE_CLIENTS: readonly Experiment[] = [silentConnections(), slowReaders()];
