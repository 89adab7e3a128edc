// Many open event streams through one Envoy and the whole product: what each costs, whether a change of the registry loses
// one, how soon a kill switch has ended all.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askForOpenFiles } from '#test/soak/file-limit.ts';
import { figuresOf, totalOf } from '#test/soak/processes.ts';
import { openStreams, type StreamClients } from '#test/soak/stream-clients.ts';
import { type HttpVersion, type StreamServer, startStreamServer } from '#test/soak/stream-server.ts';
import { bringStreamTenant, type StreamTenant } from '#test/soak/stream-tenant.ts';
import { type Product, startProduct } from '#test/support/product.ts';

/** What holds something for every stream. */
export const HOLDERS = ['envoy', 'ext-proc', 'ext-authz'] as const;
export type Holder = (typeof HOLDERS)[number];

/** Resident memory, bytes. */
type Memory = Readonly<Record<Holder, number>>;

export type StreamFigures = {
  readonly opened: number;
  readonly openMs: number;
  readonly before: Memory;
  /** With all streams open and silent. */
  readonly idle: Memory;
  /** After some events through each. */
  readonly trickling: Memory;
  readonly heardOfServer: number;
  readonly lostWhileIdle: number;
  readonly lostByChanges: number;
  readonly changes: number;
  /** From asking the registry until the last stream had ended at its client. */
  readonly killMs: number;
  /** CPU that ending them took, seconds; `here`: clients and servers of this run. */
  readonly killCpu: Readonly<Record<Holder | 'here', number>>;
  /** That the kill switch had not ended. */
  readonly survivors: number;
  /** That still had a connection to their server when it was over. */
  readonly leftAtServer: number;
};

export type StreamOptions = {
  readonly streams: number;
  /** How long they are silent. */
  readonly idleSeconds: number;
  /** Each brings one event in this time, and it goes on for two of them. */
  readonly trickleSeconds: number;
  readonly say?: (line: string) => void;
};

/** Limits of one server are per server; several are what a gateway has. */
const SERVERS = 4;
const CHANGES = 3;
const SPARE_DESCRIPTORS = 2_000;
/** Long after it should be over. */
const KILL_PATIENCE_MS = 30_000;
const HEARING_PATIENCE_MS = 30_000;
const POLL_MS = 20;
const MS = 1_000;

const figuresByHolder = (localDirectory: string, read: 'residentBytes' | 'cpuSeconds'): Memory => {
  const figureOf = (name: Holder): number => {
    const pid = Number(readFileSync(join(localDirectory, 'pids', name), 'utf8'));
    const family = figuresOf(pid);
    // Envoy runs under a process of ours that only starts it.
    const own = name === 'envoy' ? family.filter(({ program }) => program.startsWith('envoy')) : family;
    return totalOf(own)[read];
  };
  return { envoy: figureOf('envoy'), 'ext-proc': figureOf('ext-proc'), 'ext-authz': figureOf('ext-authz') };
};

const memoryOf = (localDirectory: string): Memory => figuresByHolder(localDirectory, 'residentBytes');

const cpuOf = (localDirectory: string): StreamFigures['killCpu'] => {
  const { user, system } = process.cpuUsage();
  return { ...figuresByHolder(localDirectory, 'cpuSeconds'), here: (user + system) / 1_000_000 };
};

const since = (
  before: StreamFigures['killCpu'],
  now: StreamFigures['killCpu'],
): StreamFigures['killCpu'] => ({
  envoy: now.envoy - before.envoy,
  'ext-proc': now['ext-proc'] - before['ext-proc'],
  'ext-authz': now['ext-authz'] - before['ext-authz'],
  here: now.here - before.here,
});

const changeRegistry = async (tenant: StreamTenant): Promise<void> => {
  for (let change = 0; change < CHANGES; change += 1)
    await tenant.change('', { displayName: `Streams ${change}`, accessContact: '', fourEyes: false });
};

/** A busy machine is late with its turns; a stream that is dead is never heard. */
const untilHeard = async (clients: StreamClients, wanted: number): Promise<void> => {
  const end = performance.now() + HEARING_PATIENCE_MS;
  while (clients.heard() < wanted && performance.now() < end) await sleep(POLL_MS);
};

const killAll = async (tenant: StreamTenant, clients: StreamClients): Promise<number> => {
  const startedAt = performance.now();
  await tenant.kill();
  while (clients.open() > 0 && performance.now() - startedAt < KILL_PATIENCE_MS) await sleep(POLL_MS);
  return (clients.open() > 0 ? performance.now() : clients.lastEndAt()) - startedAt;
};

const measure = async (
  world: {
    readonly product: Product;
    readonly servers: readonly StreamServer[];
    readonly tenant: StreamTenant;
  },
  { streams, idleSeconds, trickleSeconds, say = () => undefined }: StreamOptions,
): Promise<StreamFigures> => {
  const { servers, tenant } = world;
  const localDirectory = join(world.product.logsDirectory, '..');
  const count = Math.ceil(streams / SERVERS);
  const one = await openStreams(tenant.doors.map((door) => ({ ...door, count: 1 })));
  one.closeAll();
  const before = memoryOf(localDirectory);
  const startedAt = performance.now();
  const clients = await openStreams(tenant.doors.map((door) => ({ ...door, count })));
  try {
    const opened = clients.open();
    const openMs = performance.now() - startedAt;
    say(`${opened} streams open after ${Math.round(openMs / MS)} s`);
    await sleep(idleSeconds * MS);
    const idle = memoryOf(localDirectory);
    const lostWhileIdle = opened - clients.open();
    clients.forget();
    for (const server of servers) server.trickle(trickleSeconds * MS);
    await sleep(2 * trickleSeconds * MS);
    await untilHeard(clients, clients.open());
    const trickling = memoryOf(localDirectory);
    const heardOfServer = clients.heard();
    say(`${heardOfServer} of them have heard of their server`);
    const beforeChanges = clients.open();
    await changeRegistry(tenant);
    await sleep(MS);
    const lostByChanges = beforeChanges - clients.open();
    say(`${lostByChanges} lost by ${CHANGES} changes of the registry`);
    const cpuBefore = cpuOf(localDirectory);
    const killMs = await killAll(tenant, clients);
    const killCpu = since(cpuBefore, cpuOf(localDirectory));
    const survivors = clients.open();
    await sleep(MS);
    const leftAtServer = servers.reduce((total, server) => total + server.count(), 0);
    return {
      opened,
      openMs,
      before,
      idle,
      trickling,
      heardOfServer,
      lostWhileIdle,
      lostByChanges,
      changes: CHANGES,
      killMs,
      killCpu,
      survivors,
      leftAtServer,
    };
  } finally {
    clients.closeAll();
  }
};

/**
 * Over HTTP/1.1 a stream is two descriptors in Envoy; where so many are not allowed, streams share connections to the servers.
 * @throws with what to do where those are too many still
 */
const chooseVersion = (streams: number): HttpVersion => {
  const allowed = askForOpenFiles(2 * streams + SPARE_DESCRIPTORS);
  if (allowed >= 2 * streams + SPARE_DESCRIPTORS) return '1.1';
  const needed = streams + SPARE_DESCRIPTORS;
  if (allowed >= needed) return '2';
  throw new Error(`${needed} open files are needed and ${allowed} are allowed: \`ulimit -n ${needed}\``);
};

/** Starts the product, opens the streams, ends everything. */
export const holdStreams = async (options: StreamOptions): Promise<StreamFigures> => {
  const version = chooseVersion(options.streams);
  options.say?.(`HTTP/1.1 to Envoy, HTTP/${version} to the servers`);
  const product = await startProduct({ ENVOY_MAX_CONNECTIONS: String(options.streams + SPARE_DESCRIPTORS) });
  try {
    const servers = await Promise.all(Array.from({ length: SERVERS }, () => startStreamServer(version)));
    const urls = servers.map(({ url }) => url);
    const perServer = Math.ceil(options.streams / SERVERS);
    const tenant = await bringStreamTenant(product, urls, { perServer, version });
    try {
      return await measure({ product, servers, tenant }, options);
    } finally {
      await tenant.stop();
      await Promise.all(servers.map((server) => server.stop()));
    }
  } finally {
    await product.stop();
  }
};
