// A Redis Cluster of three nodes, each with a third of the slots.

import { expect, vi } from 'vitest';
import { findRedisPorts, type RedisServer, startRedis } from '#test/support/redis-server.ts';

const NODES = 3;
const PATIENCE = { timeout: 30_000, interval: 50 };
const SLOTS = 16_384;

type RedisCluster = {
  readonly nodes: readonly RedisServer[];
  /** As `REDIS_URL` takes it. */
  readonly url: string;
  stop(): Promise<void>;
};

const slotsOf = (index: number): readonly number[] => {
  const [from, to] = [index, index + 1].map((part) => Math.floor((part * SLOTS) / NODES));
  return Array.from({ length: (to ?? 0) - (from ?? 0) }, (_, slot) => (from ?? 0) + slot);
};

const isWhole = async (node: RedisServer): Promise<boolean> => {
  const info = String(await node.run('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${NODES}`);
};

/** Starts the nodes and waits until each of them knows the others. */
export const startRedisCluster = async (): Promise<RedisCluster> => {
  const ports = await findRedisPorts(NODES);
  const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
  const nodes = await Promise.all(ports.map((port) => startRedis({ port, settings })));
  await Promise.all(nodes.map((node, index) => node.run('CLUSTER', 'ADDSLOTS', ...slotsOf(index))));
  for (const port of ports.slice(1)) await nodes[0]?.run('CLUSTER', 'MEET', '127.0.0.1', port);
  for (const node of nodes) await vi.waitFor(async () => expect(await isWhole(node)).toBe(true), PATIENCE);
  return {
    nodes,
    url: `redis+cluster://${nodes.map((node) => `127.0.0.1:${node.port}`).join(',')}`,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
};
