// The product's own decision processes, fed and run as in production: real ext-authz, decision audit on, a registry feed,
// an issuer with a key server, 1,000 tools and 50 groups, 1,000 callers with tokens. Everything is on Unix sockets and
// loopback in a directory of its own. For benchmarks, and for whoever profiles one decision (see `startCheckWorld`).

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tenant } from '#core/tenant.ts';
import { createFeedServer } from '#registry/feed/server.ts';
import { decisionProcessNames } from '#runtime/decision-processes.ts';
import { startGrpcServer } from '#runtime/grpc-server.ts';
import { ensureKeyFile } from '#runtime/key-file.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { configuredTokenCacheKeyFile } from '#runtime/token-cache-keys.ts';
import { type Callers, startCallers } from '#test/bench/check/callers.ts';
import { benchCalls, type Mix, writeCheckMessages, writeHttpRequests } from '#test/bench/check/calls.ts';
import { countAllowed, openProbe } from '#test/bench/check/probe.ts';
import { getOverSocket, type MeasuredProcess, startService } from '#test/bench/check/service-process.ts';
import { AUDIENCE, benchTenant, ISSUER } from '#test/bench/check/tenant.ts';
import { createMemoryFeedSource } from '#test/support/memory-feed-source.ts';
import { until } from '#test/support/xds-gateway.ts';

/** Judged by the platform's policy alone. */
export const PLAIN = 'acme';
/** Judged by a policy of its own too. */
export const WITH_POLICY = 'globex';

const CALLERS = 1_000;

export type DecisionProcess = MeasuredProcess & {
  /** Path of the Unix socket it answers Checks at. */
  readonly socket: string;
  /** A figure of its metrics, summed over all series whose labels hold `labels`. */
  metric(name: string, labels?: string): Promise<number>;
};

export type CheckWorld = {
  readonly directory: string;
  /** Variables by which another service joins this world, `envoy/main.ts` and `xds-server/main.ts` among them. */
  readonly environment: Readonly<Record<string, string>>;
  readonly processes: readonly DecisionProcess[];
  /** What a peer is given: the same tenants, keys and terms. */
  readonly peer: {
    readonly dataFile: string;
    readonly keysFile: string;
    readonly jwksUri: string;
    readonly issuer: string;
    readonly audience: string;
  };
  /** Encoded CheckRequests, a line of base64 each: 1,000 callers, one call in 20 denied. */
  readonly messageFile: string;
  /** HTTP requests, a line of JSON each: the same callers, all allowed. */
  readonly requestFile: string;
  /**
   * More calls: with the tokens that are known already, or with `fresh` ones of the same people that nobody has seen.
   * @returns paths of files in the same two formats
   */
  write(options: {
    readonly tenant?: string;
    readonly mix?: Mix;
    readonly fresh?: number;
  }): Promise<{ readonly messageFile: string; readonly requestFile: string }>;
  stop(): Promise<void>;
};

export type WorldOptions = {
  /** How many decision processes. More than one needs `redisUrl`, which they share. */
  readonly processes?: number;
  readonly redisUrl?: string;
  /** URL of the server behind the gateway; it ends in `/mcp`. Nobody calls it unless Envoy is there. */
  readonly endpoint?: string;
  /** Archive of a policy for tenant WITH_POLICY, as `buildTenantBundle` makes it. Absent: there is no such tenant. */
  readonly bundle?: Buffer;
  /** Whom the tokens are for beside the product; absent: nobody. */
  readonly otherAudiences?: readonly string[];
  /** How many people call; absent: 1,000. */
  readonly callers?: number;
  /** Flags of Node for the decision processes, such as `--cpu-prof`. */
  readonly flags?: readonly string[];
};

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9/mcp';

const sumOf = (text: string, name: string, labels: string): number =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`mcpgw_${name}`) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);

const metricsOf =
  (opsSocket: string): DecisionProcess['metric'] =>
  async (name, labels = '') =>
    sumOf((await getOverSocket(opsSocket, '/metrics'))?.text ?? '', name, labels);

/** What processes share is sealed, with a key that is given to all of them. */
const sharing = (directory: string, redisUrl: string | undefined): Readonly<Record<string, string>> => {
  if (redisUrl === undefined) return {};
  const keyFile = join(directory, 'token-cache.keys');
  const sealing = { TOKEN_CACHE_KEY_FILE: keyFile };
  ensureKeyFile(configuredTokenCacheKeyFile(sealing));
  return { ...sealing, REDIS_URL: redisUrl };
};

const startFeed = async (directory: string, tenants: readonly Tenant[], bundle?: Buffer) => {
  const source = createMemoryFeedSource();
  if (bundle !== undefined) source.keepBundle(bundle);
  for (const tenant of tenants) source.put(tenant);
  const logger = createLogger('registry', 'silent');
  const feed = createFeedServer({ source, logger, metrics: createMetrics('registry') });
  const stop = await startGrpcServer({ kind: 'unix', path: join(directory, 'registry-feed.sock') }, [
    feed.service,
  ]);
  return async () => {
    feed.stop();
    await stop();
  };
};

const tenantsOf = (callers: Callers, { endpoint = NOWHERE, bundle }: WorldOptions): readonly Tenant[] => {
  const places = { jwksUri: callers.jwksUri, endpoint };
  const plain = benchTenant(PLAIN, places);
  if (bundle === undefined) return [plain];
  const digest = createMemoryFeedSource().keepBundle(bundle);
  return [plain, benchTenant(WITH_POLICY, places, { bundle: { digest }, keys: [], requireSignature: false })];
};

const startDecision = async (
  name: string,
  directory: string,
  options: Pick<Parameters<typeof startService>[0], 'environment' | 'flags'>,
): Promise<DecisionProcess> => {
  const opsSocket = join(directory, `${name}-ops.sock`);
  const started = await startService({ ...options, name, script: 'ext-authz/main.ts', opsSocket });
  return { ...started, socket: join(directory, `${name}.sock`), metric: metricsOf(opsSocket) };
};

const messagesOf = async (file: string): Promise<readonly Buffer[]> =>
  (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => Buffer.from(line, 'base64'));

const createWriter = (directory: string, callers: Callers, people: number): CheckWorld['write'] => {
  const known = callers.mint(people);
  let files = 0;
  return async ({ tenant = PLAIN, mix = 'mixed', fresh }) => {
    files += 1;
    const messageFile = join(directory, `messages-${files}`);
    const requestFile = join(directory, `requests-${files}`);
    const calls = benchCalls(fresh === undefined ? known : callers.mint(people, fresh), { tenant, mix });
    writeCheckMessages(messageFile, calls, tenant);
    writeHttpRequests(requestFile, calls);
    return { messageFile, requestFile };
  };
};

/**
 * Everybody calls once: keys and policies are there, every token is known, and so is everybody's key of the audit, which
 * is written to disk when a person is first seen.
 * @throws if a call is refused that is to be allowed.
 */
const meetEverybody = async (
  processes: readonly DecisionProcess[],
  tenants: readonly Tenant[],
  write: CheckWorld['write'],
): Promise<void> => {
  for (const { id } of tenants) {
    const messages = await messagesOf((await write({ tenant: id, mix: 'allowed' })).messageFile);
    const [first = Buffer.alloc(0)] = messages;
    for (const { socket } of processes) {
      const probe = openProbe(socket);
      await until(`calls of ${id} are allowed`, async () => (await probe.ask(first)) === true, 30_000);
      const allowed = await countAllowed(probe, messages);
      probe.close();
      if (allowed !== messages.length)
        throw new Error(
          `${messages.length - allowed} calls of ${messages.length} were refused that are granted`,
        );
    }
  }
};

/** Starts it, and waits until it allows what it should. */
export const startCheckWorld = async (options: WorldOptions = {}): Promise<CheckWorld> => {
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-bench-'));
  const ends: (() => Promise<unknown>)[] = [
    () => rm(directory, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const stop = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    const callers = await startCallers(options.otherAudiences);
    ends.push(callers.stop);
    const tenants = tenantsOf(callers, options);
    ends.push(await startFeed(directory, tenants, options.bundle));
    const environment = {
      ...sharing(directory, options.redisUrl),
      MCPGW_RUNTIME_DIR: directory,
      MCPGW_STATE_DIR: join(directory, 'state'),
      EGRESS_ALLOW_PRIVATE: 'true',
      LOG_LEVEL: 'warn',
      DECISION_PROCESSES: String(options.processes ?? 1),
    };
    const processes: DecisionProcess[] = [];
    for (const [index, name] of decisionProcessNames(options.processes ?? 1).entries()) {
      const own = { ...environment, EXT_AUTHZ_PROCESS: String(index + 1) };
      const started = await startDecision(name, directory, { environment: own, flags: options.flags ?? [] });
      ends.push(started.stop);
      processes.push(started);
    }
    const write = createWriter(directory, callers, options.callers ?? CALLERS);
    await meetEverybody(processes, tenants, write);
    const peer = {
      dataFile: join(directory, 'tenants.json'),
      keysFile: join(directory, 'keys.json'),
      jwksUri: callers.jwksUri,
      issuer: ISSUER,
      audience: AUDIENCE,
    };
    await writeFile(peer.dataFile, JSON.stringify(tenants));
    await writeFile(peer.keysFile, callers.keySet);
    const { messageFile } = await write({});
    const { requestFile } = await write({ mix: 'allowed' });
    return { directory, environment, processes, peer, messageFile, requestFile, write, stop };
  } catch (thrown) {
    await stop();
    throw thrown;
  }
};
