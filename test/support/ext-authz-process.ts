// ext-authz as a process of its own, fed by a registry of one tenant, and asked as Envoy asks. The caller's token is
// never valid here: what this is for is what is written down about calls, and refusals are written down like the rest.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentials, makeGenericClientConstructor, type requestCallback } from '@grpc/grpc-js';
import type { Tenant } from '#core/tenant.ts';
import type { CheckResponseMessage } from '#ext-authz/response/check-response.ts';
import { loadService } from '#protos/service.ts';
import { createFeedDouble } from '#test/support/feed-double.ts';
import { SERVER, TENANT } from '#test/support/guarded-call.ts';
import { ROOT } from '#test/support/product-process.ts';
import { until } from '#test/support/xds-gateway.ts';

type CheckClient = {
  Check(message: object, options: object, done: requestCallback<CheckResponseMessage>): void;
  close(): void;
};

export type ExtAuthzProcess = {
  readonly stateDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Reason of the answer to one call; rejects if the process went away. */
  ask(requestId: string): Promise<string>;
  /** Everything it wrote to its log. */
  log(): string;
  /** Sends a signal that does not end it. */
  signal(signal: NodeJS.Signals): void;
  /** The registry is gone, for good. */
  loseRegistry(): Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
};

const CHECK_MS = 20_000;

const Client = makeGenericClientConstructor(
  loadService('envoy.service.auth.v3.Authorization'),
  'envoy.service.auth.v3.Authorization',
);

const messageOf = (requestId: string): object => {
  const headers = { 'content-type': 'application/json', accept: '*/*', 'x-request-id': requestId };
  return {
    attributes: {
      request: {
        http: {
          method: 'POST',
          path: `/t/${TENANT}/mcp/${SERVER}`,
          header_map: {
            headers: Object.entries(headers).map(([key, value]) => ({ key, raw_value: Buffer.from(value) })),
          },
          raw_body: Buffer.from('{"jsonrpc":"2.0","id":1,"method":"ping"}'),
        },
      },
      context_extensions: { tenant: TENANT, server: SERVER },
    },
  };
};

const reasonOf = (answer: CheckResponseMessage): string => {
  const body = 'denied_response' in answer ? answer.denied_response.body : '';
  return (JSON.parse(body ?? '') as { error: { data: { reason: string } } }).error.data.reason;
};

/** Starts it and waits until it answers. */
export const startExtAuthzProcess = async (
  overrides: Readonly<Record<string, string>> = {},
  tenant: Partial<Tenant> = {},
): Promise<ExtAuthzProcess> => {
  const directory = mkdtempSync(join(tmpdir(), 'mcpgw-'));
  const environment = {
    MCPGW_RUNTIME_DIR: directory,
    MCPGW_STATE_DIR: join(directory, 'state'),
    CLOCK_FILE: join(directory, 'clock'),
    ...overrides,
  };
  const feed = createFeedDouble(tenant);
  feed.change({ enabled: true });
  const stopFeed = await feed.start(join(directory, 'registry-feed.sock'));
  let isFeedStopped = false;
  const loseRegistry = async (): Promise<void> => {
    if (!isFeedStopped) await stopFeed();
    isFeedStopped = true;
  };
  let log = '';
  let child: ChildProcess;
  let client: CheckClient;
  const ask = (requestId: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + CHECK_MS;
      client.Check(messageOf(requestId), { deadline }, (error, answer) =>
        answer === undefined ? reject(error ?? new Error('no answer')) : resolve(reasonOf(answer)),
      );
    });
  const start = async (): Promise<void> => {
    child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--import',
        './provision/parent-watch.mjs',
        'ext-authz/main.ts',
      ],
      {
        cwd: ROOT,
        env: { ...process.env, ...environment, MCPGW_PARENT_PID: String(process.pid) },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        log += chunk;
      });
    const from = log.length;
    await until('ext-authz serves', () => log.slice(from).includes('ext-authz serves'), 60_000);
    client = new Client(
      `unix:${join(directory, 'ext-authz.sock')}`,
      credentials.createInsecure(),
    ) as unknown as CheckClient;
    const isFed = async () => (await ask('warm-up').catch(() => '')) === 'token_missing';
    await until('ext-authz has its snapshot', isFed, 60_000);
  };
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    }
    client.close();
  };
  await start();
  return {
    stateDirectory: environment.MCPGW_STATE_DIR,
    environment,
    ask,
    log: () => log,
    signal: (signal) => void child.kill(signal),
    loseRegistry,
    kill,
    restart: start,
    stop: async () => {
      await kill('SIGKILL');
      await loseRegistry();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
