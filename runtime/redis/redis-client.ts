// One ioredis client as the house wants it: nothing waits in a queue, nothing is sent twice, files are read when it is
// made. It never connects again by itself; redis-link.ts makes another one.

import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis } from 'ioredis';
import type { RedisConfiguration } from '#runtime/redis/redis-configuration.ts';
import type { RedisTarget } from '#runtime/redis/redis-url.ts';

export type RedisClient = Redis | Cluster;

/** A script touches one key, so that it runs on whichever node of a Cluster has it. */
export type RedisScripts = Readonly<Record<string, string>>;

/** A server that takes longer to connect is as good as away. */
const CONNECT_MS = 2_000;

/** Commands were sent and nothing came back for so long: the connection is dead, though nobody has said so. */
const SILENCE_MS = 2_000;

const MAX_REDIRECTIONS = 4;

const readLine = (file: string | undefined): string | undefined =>
  file === undefined ? undefined : readFileSync(file, 'utf8').replace(/\r?\n$/, '');

const tlsOf = (configuration: RedisConfiguration, { tls }: RedisTarget): ConnectionOptions | undefined => {
  if (!tls) return undefined;
  const { redisCaFile: ca, redisCertificateFile: cert, redisKeyFile: key } = configuration;
  return {
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(cert === undefined || key === undefined ? {} : { cert: readFileSync(cert), key: readFileSync(key) }),
  };
};

const scriptsOf = (scripts: RedisScripts) =>
  Object.fromEntries(Object.entries(scripts).map(([name, lua]) => [name, { lua, numberOfKeys: 1 }]));

const commonOptions = (configuration: RedisConfiguration, target: RedisTarget) => {
  const password = readLine(configuration.redisPasswordFile) ?? target.password?.reveal();
  const tls = tlsOf(configuration, target);
  return {
    db: target.database,
    connectionName: 'mcpgw',
    // RESP2: nothing of RESP3 is needed, and not every Redis that can be rented speaks it.
    protocol: 2 as const,
    disableClientInfo: true,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    enableOfflineQueue: false,
    // A claim that is sent again later would hold what nobody asks for any more.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // A master that became a replica: the connection is to the wrong server.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    retryStrategy: () => null,
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  };
};

const sentinelOptions = (configuration: RedisConfiguration, target: RedisTarget) => {
  const sentinelPassword = readLine(configuration.redisSentinelPasswordFile);
  const tls = tlsOf(configuration, target);
  return {
    sentinels: [...target.hosts],
    name: target.masterName,
    sentinelRetryStrategy: () => null,
    sentinelReconnectStrategy: () => null,
    sentinelCommandTimeout: CONNECT_MS,
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
  };
};

/** @throws what reading a file throws. */
export const createRedisClient = (
  configuration: RedisConfiguration & { readonly redis: RedisTarget },
  scripts: RedisScripts,
): RedisClient => {
  const target = configuration.redis;
  const common = commonOptions(configuration, target);
  if (target.kind === 'cluster') {
    const { retryStrategy, enableOfflineQueue, ...redisOptions } = common;
    return new Cluster([...target.hosts], {
      redisOptions,
      enableOfflineQueue: false,
      clusterRetryStrategy: () => null,
      maxRedirections: MAX_REDIRECTIONS,
      slotsRefreshTimeout: CONNECT_MS,
      // With TLS the name is what the certificate is checked against.
      dnsLookup: (address, done) => done(null, address),
      scripts: scriptsOf(scripts),
    });
  }
  const [{ host, port }] = target.hosts;
  const place = target.kind === 'sentinel' ? sentinelOptions(configuration, target) : { host, port };
  return new Redis({ ...common, ...place, scripts: scriptsOf(scripts) });
};
