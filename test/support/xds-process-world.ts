// xds-server and Envoy as processes, started as they are in production, following a registry feed that a test may take
// away; ext-authz and ext-proc are doubles.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createFeedServer, type FeedServer } from '#registry/feed/server.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createMemoryFeedSource, type MemoryFeedSource } from '#test/support/memory-feed-source.ts';
import {
  authorizationDouble,
  type CheckFacts,
  processorDouble,
  type Verdict,
} from '#test/support/xds-doubles.ts';
import { freePort, requireEnvoy } from '#test/support/xds-gateway.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export type RunningRegistry = {
  readonly source: MemoryFeedSource;
  readonly feed: FeedServer;
  stop(): Promise<void>;
};

export type ProcessWorld = {
  /** Of sockets, copies and keys. */
  readonly directory: string;
  readonly origin: string;
  /** Of processes started from now on. */
  readonly environment: Record<string, string>;
  /** Starts a process; `nodeArguments` stand before the script. */
  run(script: string, nodeArguments?: readonly string[]): ChildProcess;
  ended(child: ChildProcess): Promise<number | null>;
  /** A page of xds-server's operations address; rejects while nobody listens. */
  ops(path: string): Promise<string>;
  readiness(): Promise<Record<string, unknown>>;
  /** A page of Envoy's admin interface. */
  admin(path: string): Promise<string>;
  startRegistry(source?: MemoryFeedSource): Promise<RunningRegistry>;
  stop(): Promise<void>;
};

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) done(child.exitCode);
    else child.once('exit', done);
  });

const fetchFrom = (socketPath: string, path: string): Promise<string> =>
  new Promise((done, fail) => {
    const outgoing = request({ socketPath, path }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => done(text));
    });
    outgoing.on('error', fail).end();
  });

/** Nothing runs yet but the doubles. @param decide the verdict of ext-authz; by default version 1.0.0 of everything. */
export const startProcessWorld = async (
  decide: (facts: CheckFacts) => Verdict = () => ({ version: '1.0.0' }),
): Promise<ProcessWorld> => {
  const children: ChildProcess[] = [];
  const cleanups: (() => Promise<void>)[] = [];
  const directory = await mkdtemp(join(tmpdir(), 'xp-'));
  const [port, adminPort] = [String(await freePort()), String(await freePort())];
  const environment: Record<string, string> = {
    MCPGW_RUNTIME_DIR: directory,
    MCPGW_STATE_DIR: directory,
    ENVOY_BIN: requireEnvoy(),
    ENVOY_ADMIN_PORT: adminPort,
    ENVOY_CONCURRENCY: '1',
    GATEWAY_PORT: port,
    EGRESS_ALLOW_PRIVATE: 'true',
  };
  const serve = async (name: string, services: Parameters<typeof startGrpcServer>[1]) => {
    const stop = await startGrpcServer({ kind: 'unix', path: join(directory, `${name}.sock`) }, services);
    cleanups.push(stop);
    return stop;
  };
  await serve('ext-authz', [authorizationDouble(decide)]);
  await serve('ext-proc', [processorDouble(() => ({ response_headers: {} }))]);
  const ops = (path: string) => fetchFrom(join(directory, 'xds-server-ops.sock'), path);
  return {
    directory,
    origin: `http://127.0.0.1:${port}`,
    environment,
    run: (script, nodeArguments = []) => {
      const child = spawn(process.execPath, [...nodeArguments, join(ROOT, script)], {
        cwd: directory,
        env: { ...process.env, ...environment },
        stdio: 'ignore',
      });
      children.push(child);
      return child;
    },
    ended,
    ops,
    readiness: async () => JSON.parse(await ops('/readyz')) as Record<string, unknown>,
    admin: async (path) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text(),
    startRegistry: async (source = createMemoryFeedSource()) => {
      const logger = createLogger('registry', 'silent');
      const feed = createFeedServer({ source, logger, metrics: createMetrics('registry') });
      const stopServer = await serve('registry-feed', [feed.service]);
      const stop = async (): Promise<void> => {
        feed.stop();
        await stopServer();
      };
      return { source, feed, stop };
    },
    stop: async () => {
      for (const child of children.toReversed()) child.kill('SIGTERM');
      await Promise.all(children.map(ended));
      for (const cleanup of cleanups) await cleanup();
      await rm(directory, { recursive: true, force: true });
    },
  };
};
