// Calls through a whole gateway: the product with Envoy, beside Envoy with a no-op and with OPA-Go, beside a gateway of one
// process in Rust, and above the floors of Envoy alone and of the server behind it alone. At saturation, and at a fixed rate
// where latencies are compared.

import { join } from 'node:path';
import { startBackend } from '#test/bench/check/backend.ts';
import { ROLES } from '#test/bench/check/callers.ts';
import { startProductEnvoy, startStaticEnvoy } from '#test/bench/check/envoy-process.ts';
import { cpuUsOf } from '#test/bench/check/service-process.ts';
import { TOOLS, toolName } from '#test/bench/check/tenant.ts';
import { type CheckWorld, startCheckWorld } from '#test/bench/check/world.ts';
import { type GroupSettings, type Measured, type OpenGroup, secondsOf } from '#test/bench/core/row.ts';
import { expectRefusals, expectResults } from '#test/bench/groups/expect.ts';
import { mcpProxyResource, startMcpProxy, writeMcpProxyRequests } from '#test/bench/peers/mcp-proxy.ts';
import { type HttpReport, loadRequests, startNoop, startOpa } from '#test/bench/peers/peers.ts';
import { findFreePorts } from '#test/support/free-ports.ts';
import { startRedis } from '#test/support/redis-server.ts';

export const OURS = 'gateway';
export const TWO = 'gateway, two ext-authz';
export const NOOP = 'Envoy + no-op';
export const OPA = 'Envoy + OPA-Go';
export const ENVOY = 'Envoy alone';
export const BARE = 'server alone';
export const RUST = 'mcp-proxy';
export const RUST_JWT = 'mcp-proxy, JWT and roles';

/** Callers of a short run. */
const FEW = 100;

/** Calls at once where as many are made as are answered. */
const CONNECTIONS = 32;

/** A fixed rate needs as many connections as calls are ever open. */
const PACED_CONNECTIONS = 16;

const PROBE_SECONDS = 0.2;

type Contender = {
  /** What is called, and with which requests. */
  readonly url: string;
  readonly requestsFile: string;
  /** Calls of which none may get a result; absent: it lets everybody in. */
  readonly deniedFile?: string;
  readonly pids: readonly number[];
  stop(): Promise<void>;
};

type Place = {
  readonly world: CheckWorld;
  readonly backendPort: number;
  readonly deniedFile: string;
  /** Of the peer whose URL the tokens name. */
  readonly judgingPort: number;
};

const NOTHING = async (): Promise<void> => {};

const inFrontOf = async (
  { world, backendPort }: Place,
  decisions?: { readonly socket: string; readonly pid: number; stop(): Promise<void> },
): Promise<Contender> => {
  const envoy = await startStaticEnvoy(world.directory, backendPort, decisions?.socket);
  return {
    url: envoy.url,
    requestsFile: world.requestFile,
    pids: [...envoy.pids, ...(decisions === undefined ? [] : [decisions.pid])],
    stop: async () => {
      await envoy.stop();
      await decisions?.stop();
    },
  };
};

const startProduct = async ({
  world,
  deniedFile,
}: Pick<Place, 'world' | 'deniedFile'>): Promise<Contender> => {
  const envoy = await startProductEnvoy(world);
  const decisions = world.processes.map(({ pid }) => pid);
  const { requestFile: requestsFile } = world;
  return { ...envoy, requestsFile, deniedFile, pids: [...envoy.pids, ...decisions] };
};

/** A world of its own: two processes share a Redis, one alone needs none. */
const startTwo = async ({ backendPort }: Place, { isShort }: GroupSettings): Promise<Contender> => {
  const redis = await startRedis();
  const world = await startCheckWorld({
    processes: 2,
    redisUrl: redis.url,
    endpoint: endpointOf(backendPort),
    ...(isShort ? { callers: FEW } : {}),
  });
  const { requestFile: deniedFile } = await world.write({ mix: 'denied' });
  const contender = await startProduct({ world, deniedFile });
  return {
    ...contender,
    stop: async () => {
      await contender.stop();
      await world.stop();
      await redis.stop();
    },
  };
};

const endpointOf = (backendPort: number): string => `http://127.0.0.1:${backendPort}/mcp`;

const toolsOfRoles = (): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(Object.entries(ROLES).map(([role, tools]) => [role, tools.map(toolName)]));

const forRust = async (file: string): Promise<string> => {
  const rewritten = `${file}-mcp-proxy`;
  await writeMcpProxyRequests(file, rewritten);
  return rewritten;
};

const rustOptions = ({ world, backendPort }: Place, port: number) => ({
  directory: world.directory,
  upstream: endpointOf(backendPort),
  port,
});

const startRust = async (place: Place): Promise<Contender> => {
  const requestsFile = await forRust(place.world.requestFile);
  const [port = 0] = await findFreePorts(1);
  const { url, pid, stop } = await startMcpProxy(rustOptions(place, port));
  return { url, requestsFile, pids: [pid], stop };
};

const startJudgingRust = async (place: Place): Promise<Contender> => {
  const { issuer, audience, jwksUri } = place.world.peer;
  const requestsFile = await forRust(place.world.requestFile);
  const deniedFile = await forRust(place.deniedFile);
  const jwt = { issuer, audience, jwksUri, claim: 'role', roles: toolsOfRoles() };
  const { url, pid, stop } = await startMcpProxy({ ...rustOptions(place, place.judgingPort), jwt });
  return { url, requestsFile, deniedFile, pids: [pid], stop };
};

const starts: Readonly<Record<string, (place: Place, settings: GroupSettings) => Promise<Contender>>> = {
  [OURS]: startProduct,
  [TWO]: startTwo,
  [NOOP]: async (place) => {
    const socket = join(place.world.directory, 'noop.sock');
    return inFrontOf(place, { socket, ...(await startNoop(`unix:${socket}`)) });
  },
  [OPA]: async (place) => {
    const socket = join(place.world.directory, 'opa.sock');
    const opa = await startOpa({ listen: `unix:${socket}`, ...place.world.peer, tokenCache: true });
    return { ...(await inFrontOf(place, { socket, ...opa })), deniedFile: place.deniedFile };
  },
  [ENVOY]: (place) => inFrontOf(place),
  [BARE]: async ({ world, backendPort }) => ({
    url: `http://127.0.0.1:${backendPort}`,
    requestsFile: world.requestFile,
    pids: [],
    stop: NOTHING,
  }),
  [RUST]: startRust,
  [RUST_JWT]: startJudgingRust,
};

/** Before anything is timed: who judges must refuse what is to be refused. */
const probe = async (name: string, { url, deniedFile }: Contender): Promise<void> => {
  if (deniedFile === undefined) return;
  const asked = { target: url, requestsFile: deniedFile, connections: 1, seconds: PROBE_SECONDS };
  expectRefusals(name, await loadRequests(asked));
};

const measuredOf = (report: HttpReport, cpuUs: number): Measured => ({
  perSecond: report.sent / report.seconds,
  cpuUs: cpuUs / report.sent,
  p50Us: report.p50Us,
  p95Us: report.p95Us,
  p99Us: report.p99Us,
});

const turn = async (
  name: string,
  { url, requestsFile, pids }: Contender,
  pace: { readonly seconds: number; readonly rate?: number },
): Promise<Measured> => {
  const connections = pace.rate === undefined ? CONNECTIONS : PACED_CONNECTIONS;
  const cpu = () => pids.reduce((sum, pid) => sum + cpuUsOf(pid), 0);
  const before = cpu();
  const report = await loadRequests({ target: url, requestsFile, connections, ...pace });
  expectResults(name, report);
  return measuredOf(report, cpu() - before);
};

/** @param rate calls a second; absent: as many as are answered. */
export const openCalls = async (settings: GroupSettings, rate?: number): Promise<OpenGroup> => {
  const ends: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  const started: Record<string, Contender> = {};
  try {
    const tools = Array.from({ length: TOOLS }, (_, number) => toolName(number));
    const backend = await startBackend(tools);
    ends.push(backend.stop);
    const short = settings.isShort ? { callers: FEW } : {};
    const [judgingPort = 0] = await findFreePorts(1);
    const otherAudiences = settings.contenders.has(RUST_JWT) ? [mcpProxyResource(judgingPort)] : [];
    const world = await startCheckWorld({ endpoint: endpointOf(backend.port), otherAudiences, ...short });
    ends.push(world.stop);
    const { requestFile: deniedFile } = await world.write({ mix: 'denied' });
    const place = { world, backendPort: backend.port, deniedFile, judgingPort };
    for (const name of settings.contenders) {
      const contender = await starts[name]?.(place, settings);
      if (contender === undefined) throw new Error(`no contender ${name}`);
      ends.push(contender.stop);
      started[name] = contender;
      await probe(name, contender);
    }
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const paced = rate === undefined ? {} : { rate };
  return {
    measure: (name, round) =>
      turn(name, started[name] as Contender, { seconds: secondsOf(round, settings), ...paced }),
    close,
  };
};
