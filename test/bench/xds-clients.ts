// `npm run bench:xds-clients`: what one tenant's change costs among a thousand servers with 200 connected clients, against
// one client: the server's CPU, and the time until the first, the median and the last client have the new routes. The
// clients are real gRPC clients in a process of their own. Read the ratios; seconds are of the machine.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Snapshot } from '#core/snapshot.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { monotonicMs, startFleet } from '#test/support/xds-fleet.ts';
import { NO_NODES_FILE } from '#test/support/xds-gateway.ts';
import { snapshotOf, tenantOf, type Versions } from '#test/support/xds-world.ts';
import { createAdmission } from '#xds-server/nodes/admission.ts';
import { createSnapshotBuilder } from '#xds-server/snapshot/builder.ts';
import { createAds } from '#xds-server/stream/ads.ts';
import { tenantRoutesName, WELL_KNOWN_ROUTES } from '#xds-server/translate/names.ts';

const TENANTS = 50;
const SERVERS = 20;
const ROUNDS = 15;
const ENDPOINTS = ['http://127.0.0.1:9101/mcp'];

const tenantIds = Array.from({ length: TENANTS }, (_, index) => `tenant-${index}`);
const serverIds = Array.from({ length: SERVERS }, (_, index) => `server-${index}`);
const stable = tenantIds.map((id) =>
  tenantOf(id, Object.fromEntries(serverIds.map((server) => [server, { '1.0.0': ENDPOINTS }]))),
);

/** In every round one server of one tenant has another version. */
const world = (round: number): Snapshot => {
  const versionsOf = (server: string): Versions =>
    server === 'server-0' ? { [`1.0.${round}`]: ENDPOINTS } : { '1.0.0': ENDPOINTS };
  const changed = tenantOf(
    'tenant-0',
    Object.fromEntries(serverIds.map((server) => [server, versionsOf(server)])),
  );
  return snapshotOf(round, changed, ...stable.slice(1));
};

type Figures = {
  readonly cpu: number;
  readonly first: number;
  readonly median: number;
  readonly last: number;
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const measure = async (clients: number): Promise<Figures> => {
  const directory = await mkdtemp(join(tmpdir(), 'bench-xds-'));
  const address = { kind: 'unix', path: join(directory, 'x.sock') } as const;
  const logger = createLogger('xds-server', 'silent');
  const metrics = createMetrics('xds-server');
  const admission = createAdmission({ nodes: NO_NODES_FILE, isSecure: false, logger, metrics });
  const ads = createAds({ logger, metrics, admission, isCurrent: () => true, onStatus: () => undefined });
  const stopGrpc = await startGrpcServer(address, [ads.service]);
  const build = createSnapshotBuilder({
    listenAddress: '127.0.0.1',
    port: 8080,
    trustedHops: 0,
    accessLogOnStdout: false,
    upstreamCaFile: '/etc/ssl/certs/ca-certificates.crt',
    listenerTls: false,
    streamIdleSeconds: 3_600,
  });
  const addresses: readonly string[] = ['127.0.0.1'];
  const snapshotFor = (round: number) => build(world(round), { addressesOf: () => addresses }).snapshot;
  const routes = [WELL_KNOWN_ROUTES, ...tenantIds.map(tenantRoutesName)];
  const fleet = await startFleet({ address, clients, routes });
  ads.publish(snapshotFor(1));
  await fleet.reached(1);
  const rounds: Figures[] = [];
  for (let round = 2; round < ROUNDS + 2; round += 1) {
    const snapshot = snapshotFor(round);
    const isSettled = () => ads.nodes().every(({ acknowledgedSequence }) => acknowledgedSequence === round);
    const cpuBefore = process.cpuUsage();
    const startedAt = monotonicMs();
    ads.publish(snapshot);
    const times = (await fleet.reached(round)).map((at) => at - startedAt).toSorted((a, b) => a - b);
    while (!isSettled()) await new Promise((resolve) => setTimeout(resolve, 50));
    const { user, system } = process.cpuUsage(cpuBefore);
    const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? 0;
    rounds.push({ cpu: (user + system) / 1_000, first: at(0), median: at(0.5), last: at(1) });
  }
  await fleet.stop();
  ads.endStreams();
  await stopGrpc();
  await rm(directory, { recursive: true, force: true });
  const over = (figure: keyof Figures) => median(rounds.map((each) => each[figure]));
  return { cpu: over('cpu'), first: over('first'), median: over('median'), last: over('last') };
};

const line = (clients: number, { cpu, first, median: middle, last }: Figures): string =>
  `${String(clients).padStart(4)} clients: ${cpu.toFixed(1)} ms CPU, routes there after ${first.toFixed(1)} (first) ` +
  `${middle.toFixed(1)} (median) ${last.toFixed(1)} ms (last)`;

const one = await measure(1);
const many = await measure(200);
console.log(`one tenant's new version among ${TENANTS * SERVERS} servers, median of ${ROUNDS} rounds`);
console.log(line(1, one));
console.log(line(200, many));
console.log(
  `200 clients cost ${(many.cpu / one.cpu).toFixed(1)} times one; the last waits ${(many.last / one.last).toFixed(1)} times as long`,
);
