// The way to Redis as it stands: a client that is ready, or none. A client that ends is followed by another one, sooner at
// first and later each time, with what the files of passwords and certificates say by then.

import { createRedisClient, type RedisClient, type RedisScripts } from '#runtime/redis/redis-client.ts';
import type { RedisConfiguration } from '#runtime/redis/redis-configuration.ts';
import { redisFault } from '#runtime/redis/redis-fault.ts';
import type { RedisTarget } from '#runtime/redis/redis-url.ts';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 3_000;

/** How long a start waits for Redis; it goes on without. */
const FIRST_WAIT_MS = 3_000;

export type RedisLink = {
  /** Undefined while there is no connection: nothing waits for one. */
  ready(): RedisClient | undefined;
  /** Why there is none, as a word of Redis or of the system: `WRONGPASS`, `ECONNREFUSED`. Undefined while there is one. */
  fault(): string | undefined;
  stop(): void;
};

/** Begins to connect; ends with the first connection, or when it is clear that there is none for now. */
export const startRedisLink = async (parts: {
  readonly configuration: RedisConfiguration & { readonly redis: RedisTarget };
  readonly scripts: RedisScripts;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
}): Promise<RedisLink> => {
  let client: RedisClient | undefined;
  let fault: string | undefined = 'CONNECTING';
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let settleFirst = (): void => undefined;
  const first = new Promise<void>((resolve) => {
    settleFirst = resolve;
  });

  const again = (): void => {
    if (isStopped) return;
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, MAX_PAUSE_MS) * (0.5 + parts.random() / 2);
    failures += 1;
    timer = setTimeout(connect, pause);
    timer.unref();
    settleFirst();
  };
  const connect = (): void => {
    try {
      client = createRedisClient(parts.configuration, parts.scripts);
    } catch (thrown) {
      fault = redisFault(thrown);
      again();
      return;
    }
    client.on('ready', () => {
      failures = 0;
      fault = undefined;
      settleFirst();
    });
    client.on('error', (error) => {
      fault = redisFault(error);
    });
    client.once('end', () => {
      fault ??= 'CLOSED';
      again();
    });
  };

  connect();
  const limit = setTimeout(settleFirst, FIRST_WAIT_MS);
  await first;
  clearTimeout(limit);
  return {
    ready: () => (client?.status === 'ready' ? client : undefined),
    fault: () => (client?.status === 'ready' ? undefined : fault),
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
      client?.disconnect();
    },
  };
};
