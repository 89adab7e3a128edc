// A master, a replica and the three Sentinels that watch them. A master that is killed is followed by its replica within
// a second or two.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { findRedisPorts, type RedisServer, startRedis } from '#test/support/redis-server.ts';

const NAME = 'gateway';

/** How long a master is silent before it counts as down, milliseconds. */
const DOWN_AFTER_MS = 500;

const PATIENCE = { timeout: 30_000, interval: 50 };

type RedisSentinels = {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** As `REDIS_URL` takes it. */
  readonly url: string;
  stop(): Promise<void>;
};

const sentinelFile = (master: RedisServer): string =>
  [
    `sentinel monitor ${NAME} 127.0.0.1 ${master.port} 2`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 3000`,
    '',
  ].join('\n');

const isReplicating = async (replica: RedisServer): Promise<boolean> =>
  String(await replica.run('INFO', 'replication')).includes('master_link_status:up');

/** Whether a Sentinel knows the replica and both others: before that it cannot fail over. */
const isWatching = async (sentinel: RedisServer): Promise<boolean> => {
  const said = (await sentinel.run('SENTINEL', 'MASTER', NAME)) as readonly string[];
  const fact = (name: string): string | undefined => said[said.indexOf(name) + 1];
  return fact('num-slaves') === '1' && fact('num-other-sentinels') === '2';
};

/** Starts all five and waits until a failover is possible. */
export const startRedisSentinels = async (): Promise<RedisSentinels> => {
  const directory = mkdtempSync(join(tmpdir(), 'sentinels-'));
  const ports = await findRedisPorts(5);
  const [port = 0, replicaPort = 0, ...sentinelPorts] = ports;
  const master = await startRedis({ port, settings: ['--repl-diskless-sync-delay', '0'] });
  const replica = await startRedis({
    port: replicaPort,
    settings: ['--replicaof', '127.0.0.1', String(port)],
  });
  await vi.waitFor(async () => expect(await isReplicating(replica)).toBe(true), PATIENCE);
  const sentinels = await Promise.all(
    sentinelPorts.map((sentinelPort) => {
      // A Sentinel writes what it learns into its file: each has one of its own.
      const file = join(directory, `${sentinelPort}.conf`);
      writeFileSync(file, sentinelFile(master));
      return startRedis({ port: sentinelPort, file });
    }),
  );
  for (const sentinel of sentinels)
    await vi.waitFor(async () => expect(await isWatching(sentinel)).toBe(true), PATIENCE);
  const hosts = sentinels.map((sentinel) => `127.0.0.1:${sentinel.port}`).join(',');
  return {
    master,
    replica,
    url: `redis+sentinel://${hosts}/${NAME}`,
    stop: async () => {
      await Promise.all([master, replica, ...sentinels].map((server) => server.stop()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
