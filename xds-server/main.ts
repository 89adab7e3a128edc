// Wires xds-server: registry feed → snapshot → Envoys. Holds no logic.

import { hostname } from 'node:os';
import { join } from 'node:path';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import type { Address } from '#runtime/address.ts';
import {
  flag,
  gatewayClientCertificates,
  gatewayTls,
  integer,
  list,
  localAddress,
  logLevel,
  port,
  readConfig,
  socketDefault,
  stateDirectory,
  text,
} from '#runtime/config.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { drainGrpc, startGrpcServer } from '#runtime/grpc-server.ts';
import { type Lifecycle, runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { type Readiness, startOpsServer } from '#runtime/ops-server.ts';
import { startInternalTls } from '#runtime/tls/internal-tls.ts';
import { dialledAddress, servedAddress } from '#runtime/tls/tls-address.ts';
import { createAccessLogService } from '#xds-server/access-log-service.ts';
import { createClientStatusService } from '#xds-server/client-status-service.ts';
import { createEndpointAddresses, type EndpointAddresses } from '#xds-server/endpoint-addresses.ts';
import { startAdmission } from '#xds-server/nodes/start-admission.ts';
import { createPublisher, type Publisher } from '#xds-server/publisher.ts';
import { describeReadiness, isCurrent } from '#xds-server/readiness.ts';
import { consumerName, replicaVariable } from '#xds-server/replica.ts';
import { createUpstreamSecrets, type UpstreamSecrets } from '#xds-server/secrets/upstream-secrets.ts';
import type { GatewaySettings } from '#xds-server/settings.ts';
import { createSnapshotBuilder } from '#xds-server/snapshot/builder.ts';
import { previewTenant } from '#xds-server/snapshot/preview.ts';
import { createStatusReporter, type StatusReporter } from '#xds-server/status-reporter.ts';
import { type Steering, startSteering } from '#xds-server/steering.ts';
import { type Ads, createAds } from '#xds-server/stream/ads.ts';
import { nodeConfig } from '#xds-server/stream/node-config.ts';

const VARIABLES = {
  stateDirectory,
  replica: replicaVariable,
  address: servedAddress('XDS_ADDRESS', socketDefault('xds-server')),
  opsAddress: localAddress('XDS_OPS_ADDRESS', socketDefault('xds-server-ops')),
  statusAddress: localAddress('XDS_STATUS_ADDRESS', socketDefault('xds-server-status')),
  feedAddress: dialledAddress('REGISTRY_FEED_ADDRESS', socketDefault('registry-feed')),
  listenAddress: text('GATEWAY_LISTEN_ADDRESS', '127.0.0.1'),
  port: port('GATEWAY_PORT', '8080'),
  listenerTls: gatewayTls,
  listenerClientCertificates: gatewayClientCertificates,
  streamIdleSeconds: integer(1, 86_400)('GATEWAY_STREAM_IDLE_SECONDS', '3600'),
  trustedHops: integer(0, 16)('GATEWAY_TRUSTED_HOPS', '0'),
  accessLogOnStdout: flag('ENVOY_ACCESS_LOG', 'false'),
  upstreamSecretsDirectory: text(
    'UPSTREAM_SECRETS_DIRECTORY',
    join(process.cwd(), '.local', 'upstream-secrets'),
  ),
  upstreamCaFile: text('UPSTREAM_CA_FILE', '/etc/ssl/certs/ca-certificates.crt'),
  allowPrivate: flag('EGRESS_ALLOW_PRIVATE', 'false'),
  allowedHosts: list('EGRESS_ALLOWED_HOSTS', ''),
  nodesFile: text('NODES_FILE', ''),
  figuresWindowSeconds: integer(2, 300)('FIGURES_WINDOW_SECONDS', '10'),
};

/** How long resolved addresses are used; names of load balancers move within a minute. */
const ADDRESS_TTL_MS = 30_000;

const logger = createLogger('xds-server', readConfig({ logLevel }).logLevel);

/** What operators ask, on addresses that Envoys do not reach. */
const startOperations = async (
  lifecycle: Lifecycle,
  options: {
    readonly opsAddress: Address;
    readonly statusAddress: Address;
    readonly metrics: Metrics;
    readonly clients: Ads['clients'];
    readonly readiness: () => Readiness;
  },
): Promise<void> => {
  const { opsAddress, statusAddress, metrics, clients, readiness } = options;
  const clientStatus = createClientStatusService(clients);
  drainGrpc(lifecycle, await startGrpcServer(statusAddress, [clientStatus]));
  await startOpsServer(lifecycle, { address: opsAddress, metrics, readiness });
};

type Settings = GatewaySettings &
  Parameters<typeof createEgressGuard>[0] & {
    readonly upstreamSecretsDirectory: string;
    readonly figuresWindowSeconds: number;
  };

/** From the registry's snapshots to what Envoys are told, with what is resolved, measured and laid down for upstreams. */
const startPublishing = (
  lifecycle: Lifecycle,
  options: {
    readonly config: Settings;
    readonly metrics: Metrics;
    readonly publish: Ads['publish'];
    readonly reporter: Pick<StatusReporter, 'figures' | 'paces'>;
  },
): { readonly publisher: Publisher; readonly steering: Steering } => {
  const { config, metrics, publish, reporter } = options;
  const { resolve } = createEgressGuard(config);
  const steering = startSteering({
    logger,
    metrics,
    onMoved: () => publisher.refresh(),
    report: reporter.figures,
    reportPaces: reporter.paces,
    windowMs: config.figuresWindowSeconds * 1_000,
  });
  lifecycle.onStop('steering', steering.stop);
  const publisher = createPublisher({
    build: createSnapshotBuilder(config),
    addresses: (): EndpointAddresses => addresses,
    weightOf: steering.weightOf,
    secrets: (): UpstreamSecrets => secrets,
    paceOf: steering.paceOf,
    publish,
    logger,
    metrics,
  });
  const onChange = publisher.refresh;
  const addresses = createEndpointAddresses({ resolve, ttlMs: ADDRESS_TTL_MS, onChange, logger, metrics });
  lifecycle.onStop('addresses', () => addresses.stop());
  const directory = config.upstreamSecretsDirectory;
  const secrets = createUpstreamSecrets({ directory, onChange, logger, metrics });
  lifecycle.onStop('secrets', () => secrets.stop());
  return { publisher, steering };
};

runService(logger, async (lifecycle) => {
  const config = readConfig(VARIABLES);
  const metrics = createMetrics('xds-server');
  const tls = await startInternalTls({ logger, metrics });
  lifecycle.onStop('internal TLS', () => tls?.stop());
  const reporter = createStatusReporter({
    publishedSequence: () => publisher.publishedSequence(),
    nodes: () => ads.nodes(),
    gone: () => ads.gone(),
    untranslated: () => publisher.faults().map(({ tenantId }) => tenantId),
  });
  const admission = await startAdmission(config, { logger, metrics, lifecycle });
  const ads = createAds({
    logger,
    metrics,
    admission,
    isCurrent: () => isCurrent(feed.current()),
    onStatus: reporter.changed,
  });
  const { publish } = ads;
  const { publisher, steering } = startPublishing(lifecycle, { config, metrics, publish, reporter });
  const feed = await startFeedConsumer({
    address: config.feedAddress,
    tls,
    consumer: consumerName(config.replica, { host: hostname(), stateDirectory: config.stateDirectory }),
    stateFile: join(config.stateDirectory, 'xds-server-snapshot.json'),
    logger,
    metrics,
    onSnapshot: (snapshot) => {
      steering.update(snapshot);
      publisher.update(snapshot);
    },
    onPreview: (tenant) =>
      previewTenant(tenant, {
        served: publisher.served(),
        settings: config,
        facts: publisher.facts(),
      }),
    onNodeConfig: (question) => nodeConfig(ads.clients(question.nodeId), question),
  });
  lifecycle.onStop('feed', () => feed.stop());
  reporter.start(feed.report);
  const accessLogs = createAccessLogService(metrics, admission, steering.observe);
  const endStreams = (): void => {
    ads.endStreams();
    accessLogs.endStreams();
  };
  const stop = await startGrpcServer(config.address, [ads.service, accessLogs.service], tls);
  drainGrpc(lifecycle, stop, { endStreams });
  await startOperations(lifecycle, {
    opsAddress: config.opsAddress,
    statusAddress: config.statusAddress,
    metrics,
    clients: ads.clients,
    readiness: () =>
      describeReadiness({ feed: feed.current(), publisher, nodes: ads.nodes(), nowMs: Date.now() }),
  });
  logger.info('listening');
});
