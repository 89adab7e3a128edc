// A decision process of the soak from outside: started, asked to finish, or killed.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { WorkerFigures, WorkerOrders } from '#test/soak/token-worker.ts';
import { ROOT } from '#test/support/product-process.ts';
import type { RedisServer } from '#test/support/redis-server.ts';
import { writeTokenCacheKey } from '#test/support/token-cache-key.ts';

/** What every process of it is told. */
export type Deployment = {
  readonly orders: WorkerOrders;
  readonly environment: Readonly<Record<string, string>>;
};

export type Worker = {
  readonly child: ChildProcess;
  /** Ends its callers and itself. */
  finish(): Promise<WorkerFigures>;
};

/** Where five processes have two cores, an answer that is late says nothing about Redis. */
const REDIS_PATIENCE_MS = 1_000;

/** The environment of processes that share a Redis. @param directory where the file of their keys is put. */
export const sharingRedis = (redis: RedisServer, directory: string): Deployment['environment'] => ({
  REDIS_URL: redis.url,
  TOKEN_CACHE_KEY_FILE: writeTokenCacheKey(directory),
  SHARED_STATE_TIMEOUT_MS: String(REDIS_PATIENCE_MS),
});

/** Starts one and waits until its callers call. */
export const startWorker = async ({ orders, environment }: Deployment): Promise<Worker> => {
  const child = fork(join(ROOT, 'test/soak/token-worker.ts'), {
    cwd: ROOT,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    env: { ...process.env, ...environment },
  });
  const exited = once(child, 'exit').then(() => {
    throw new Error('a process of the soak ended by itself');
  });
  exited.catch(() => undefined);
  child.send(orders);
  await Promise.race([once(child, 'message'), exited]);
  return {
    child,
    finish: async () => {
      child.send('stop');
      const [figures] = (await Promise.race([once(child, 'message'), exited])) as [WorkerFigures];
      return figures;
    },
  };
};
