// The real Envoy, fed by the real xds-server in this process, between test clients and test upstreams.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { VersionFigures } from '#core/call-figures.ts';
import type { Json, JsonObject } from '#core/json.ts';
import type { VersionPace } from '#core/pace.ts';
import { ok } from '#core/result.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { envoyArguments } from '#envoy/arguments.ts';
import { type BootstrapOptions, buildBootstrap } from '#envoy/bootstrap.ts';
import type { Address } from '#runtime/address.ts';
import { type GrpcService, startGrpcServer } from '#runtime/grpc-server.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import type { InternalTls } from '#runtime/tls/internal-tls.ts';
import {
  authorizationDouble,
  type CheckFacts,
  processorDouble,
  type Verdict,
} from '#test/support/xds-doubles.ts';
import { createAccessLogService } from '#xds-server/access-log-service.ts';
import type { PaceOf } from '#xds-server/adaptive/pace-of.ts';
import { createEndpointAddresses, type ResolveUrl } from '#xds-server/endpoint-addresses.ts';
import type { Observation } from '#xds-server/figures/observation.ts';
import { createAdmission } from '#xds-server/nodes/admission.ts';
import type { NodesFile } from '#xds-server/nodes/nodes-file.ts';
import { NO_TABLE } from '#xds-server/nodes/nodes-table.ts';
import { createPublisher } from '#xds-server/publisher.ts';
import { createUpstreamSecrets } from '#xds-server/secrets/upstream-secrets.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { createSnapshotBuilder } from '#xds-server/snapshot/builder.ts';
import type { Facts } from '#xds-server/snapshot/facts.ts';
import type { ResourceSnapshot } from '#xds-server/snapshot/resource.ts';
import { type Steering, startSteering } from '#xds-server/steering.ts';
import { type Ads, createAds } from '#xds-server/stream/ads.ts';
import type { WeightOf } from '#xds-server/translate/endpoints.ts';

/** What the installation says about a missing Envoy, in one line. */
export const requireEnvoy = (): string => {
  const binary = process.env['ENVOY_BIN'] ?? '';
  if (!existsSync(binary)) throw new Error('ENVOY_BIN must name an Envoy binary for this test');
  return binary;
};

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

export const until = async (
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<number> => {
  const startedAt = Date.now();
  while (Date.now() - startedAt < timeoutMs) {
    if (await condition()) return Date.now() - startedAt;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`);
};

/** Addresses in URLs stand for themselves; names resolve to this machine. */
const loopback: ResolveUrl = async (url) => {
  const { port } = new URL(url);
  return ok({ addresses: ['127.0.0.1'], port: Number(port) });
};

/** Of a deployment without one: every node is of this machine. */
export const NO_NODES_FILE: NodesFile = {
  current: () => NO_TABLE,
  onChange: () => undefined,
  stop: () => undefined,
};

export type XdsServer = {
  readonly ads: Ads;
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly steering: Steering;
  update(snapshot: Snapshot): void;
  /** Weights or paces changed. */
  refresh(): void;
  publishedSequence(): number;
  served(): ResourceSnapshot | undefined;
  facts(): Facts;
  stop(): Promise<void>;
};

/** An xds-server as main.ts wires it, without the feed. `tamper` may spoil what is about to be told. */
export const startXdsServer = async (options: {
  readonly address: Address;
  /** Required for an address with peers. */
  readonly tls?: InternalTls;
  readonly nodes?: NodesFile;
  readonly settings: GatewaySettings;
  readonly tamper?: (snapshot: ResourceSnapshot) => ResourceSnapshot;
  readonly resolve?: ResolveUrl;
  /** Whether it has what the registry says now, which it has if nothing is said. */
  readonly isCurrent?: () => boolean;
  readonly onStatus?: () => void;
  readonly weightOf?: WeightOf;
  readonly paceOf?: PaceOf;
  readonly onObservation?: (observation: Observation) => void;
  readonly onFigures?: (versions: readonly VersionFigures[]) => void;
  readonly onPaces?: (paces: readonly VersionPace[]) => void;
  /** Where secrets of upstreams lie; looked at ten times a second. */
  readonly secretsDirectory?: string;
  /** Length of the windows figures are kept in. */
  readonly figuresMs?: number;
}): Promise<XdsServer> => {
  const logger = createLogger('xds-server', process.env['XDS_TEST_LOG'] ?? 'silent');
  const metrics = createMetrics('xds-server');
  const { nodes = NO_NODES_FILE, tls } = options;
  const admission = createAdmission({ nodes, isSecure: tls !== undefined, logger, metrics });
  const { isCurrent = () => true, onStatus = () => undefined } = options;
  const ads = createAds({ logger, metrics, admission, isCurrent, onStatus });
  const publisher = createPublisher({
    build: createSnapshotBuilder(options.settings),
    addresses: () => addresses,
    weightOf: (cluster, address) => (options.weightOf ?? steering.weightOf)(cluster, address),
    secrets: () => secrets,
    paceOf: (cluster) => (options.paceOf ?? steering.paceOf)(cluster),
    publish: (snapshot) => ads.publish(options.tamper?.(snapshot) ?? snapshot),
    logger,
    metrics,
  });
  const addresses = createEndpointAddresses({
    resolve: options.resolve ?? loopback,
    ttlMs: 100,
    onChange: publisher.refresh,
    logger,
    metrics,
  });
  const steering = startSteering({
    logger,
    metrics,
    onMoved: publisher.refresh,
    report: (versions) => options.onFigures?.(versions),
    reportPaces: (paces) => options.onPaces?.(paces),
    windowMs: options.figuresMs ?? 10_000,
  });
  const accessLogs = createAccessLogService(metrics, admission, (seen) => {
    options.onObservation?.(seen);
    steering.observe(seen);
  });
  const secrets = createUpstreamSecrets({
    directory: options.secretsDirectory ?? '/nowhere',
    onChange: publisher.refresh,
    logger,
    metrics,
    lookMs: 100,
  });
  const stopGrpc = await startGrpcServer(options.address, [ads.service, accessLogs.service], tls);
  return {
    ads,
    metrics,
    steering,
    update: (next) => {
      steering.update(next);
      publisher.update(next);
    },
    refresh: publisher.refresh,
    publishedSequence: publisher.publishedSequence,
    served: publisher.served,
    facts: publisher.facts,
    stop: async () => {
      ads.endStreams();
      addresses.stop();
      steering.stop();
      secrets.stop();
      await stopGrpc({ endStreams: accessLogs.endStreams });
    },
  };
};

const withApiType = (bootstrap: JsonObject, apiType: string): JsonObject => {
  const dynamic = bootstrap['dynamic_resources'] as Record<string, Json>;
  const ads = dynamic['ads_config'] as JsonObject;
  return { ...bootstrap, dynamic_resources: { ...dynamic, ads_config: { ...ads, api_type: apiType } } };
};

export type Gateway = {
  readonly origin: string;
  /** Envoy's working directory. */
  readonly directory: string;
  readonly settings: GatewaySettings;
  readonly xdsAddress: Address;
  readonly checks: CheckFacts[];
  /** Answers the ext-proc double was shown. */
  shown(): number;
  decide(verdict: (facts: CheckFacts) => Verdict): void;
  /** How the ext-proc double replies to the head of an answer; undefined lets it pass. */
  guard(reply: JsonObject | undefined): void;
  stopExtAuthz(): Promise<void>;
  admin(path: string): Promise<string>;
  /** What Envoy wrote to stdout: access log lines. */
  stdout(): Promise<string>;
  /** Sends Envoy's process a signal. */
  signal(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
};

/** Starts Envoy as the product does, with its files in `directory`. */
export const spawnEnvoy = async (directory: string, bootstrap: JsonObject): Promise<ChildProcess> => {
  const bootstrapFile = join(directory, 'bootstrap.json');
  await writeFile(bootstrapFile, JSON.stringify(bootstrap));
  const options = { bootstrapFile, logLevel: 'warning', concurrency: 1, drainSeconds: 5 };
  const stdout = openSync(join(directory, 'stdout.log'), 'w');
  const log = ['--log-path', join(directory, 'envoy.log')];
  const child = spawn(requireEnvoy(), [...envoyArguments(options), ...log], {
    stdio: ['ignore', stdout, 'ignore'],
    cwd: directory,
  });
  closeSync(stdout);
  return child;
};

/** Starts Envoy with both doubles; nothing is told to it until an xds-server listens at `xdsAddress`. */
export const startGateway = async (
  options: {
    readonly apiType?: 'DELTA_GRPC' | 'GRPC';
    readonly maxHeapBytes?: number;
    /** What of the bootstrap is other than a plain edge's. */
    readonly bootstrap?: Partial<BootstrapOptions>;
    /** Where the doubles listen and with what certificate, if not as Envoy dials them. */
    readonly served?: { readonly extAuthz: Address; readonly extProc: Address };
    readonly tls?: InternalTls;
    /** Changes the bootstrap where no option does. */
    readonly amend?: (bootstrap: JsonObject) => JsonObject;
    /** The services themselves in place of the doubles. */
    readonly judges?: { readonly extAuthz: GrpcService; readonly extProc: GrpcService };
  } & Partial<GatewaySettings> = {},
): Promise<Gateway> => {
  const {
    apiType = 'DELTA_GRPC',
    maxHeapBytes = 1_000_000_000,
    bootstrap: changes = {},
    served,
    tls,
    judges,
    amend = (bootstrap) => bootstrap,
    ...settings
  } = options;
  requireEnvoy();
  const directory = await mkdtemp(join(tmpdir(), 'xds-'));
  const at = (name: string): Address => ({ kind: 'unix', path: join(directory, `${name}.sock`) });
  const adminPort = await freePort();
  const port = await freePort();
  const checks: CheckFacts[] = [];
  let shown = 0;
  let guardReply: JsonObject | undefined;
  const processed = (): JsonObject => {
    shown += 1;
    return guardReply ?? { response_headers: {} };
  };
  let verdict: (facts: CheckFacts) => Verdict = () => ({ version: '1.0.0' });
  const decide = (facts: CheckFacts): Verdict => {
    checks.push(facts);
    return verdict(facts);
  };
  const plain = { xdsServer: at('x'), extAuthz: at('a'), extProc: at('p'), rateLimit: at('r') };
  const services = changes.services ?? plain;
  const { extAuthz, extProc } = served ?? services;
  const stopExtAuthz = await startGrpcServer(
    extAuthz,
    [judges?.extAuthz ?? authorizationDouble(decide)],
    tls,
  );
  const stopExtProc = await startGrpcServer(extProc, [judges?.extProc ?? processorDouble(processed)], tls);
  const limits = { maxConnections: 1_000, maxHeapBytes };
  const bootstrap = buildBootstrap({ nodeId: 'test', adminPort, ...limits, services, ...changes });
  const envoy = await spawnEnvoy(directory, amend(withApiType(bootstrap, apiType)));
  const ended = new Promise((resolve) => envoy.once('exit', resolve));
  return {
    origin: `${settings.listenerTls === true ? 'https' : 'http'}://127.0.0.1:${port}`,
    directory,
    settings: {
      listenAddress: '127.0.0.1',
      port,
      listenerTls: false,
      streamIdleSeconds: 3600,
      trustedHops: 0,
      accessLogOnStdout: false,
      upstreamCaFile: '/etc/ssl/certs/ca-certificates.crt',
      ...settings,
    },
    xdsAddress: services.xdsServer,
    checks,
    shown: () => shown,
    decide: (next) => {
      verdict = next;
    },
    guard: (reply) => {
      guardReply = reply;
    },
    stopExtAuthz,
    admin: async (path) => (await fetch(`http://127.0.0.1:${adminPort}${path}`)).text(),
    stdout: () => readFile(join(directory, 'stdout.log'), 'utf8'),
    signal: (signal) => void envoy.kill(signal),
    stop: async () => {
      envoy.kill('SIGKILL');
      await ended;
      await Promise.all([stopExtAuthz(), stopExtProc()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
};
