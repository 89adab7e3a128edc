// The registry as a process: store, feed, HTTP API and operations endpoint, wired. Holds no logic.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { GatewayError } from '#core/gateway-error.ts';
import { createApi } from '#registry/api/api.ts';
import { createAdminIssuers } from '#registry/api/auth/admin-issuers.ts';
import { type AdminTrusts, createAdminTrusts } from '#registry/api/auth/admin-trusts.ts';
import { createAuthenticate } from '#registry/api/auth/authenticate.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { createPublishApi } from '#registry/api/publish-api.ts';
import { createApprovalAnswers } from '#registry/ask-for-approval.ts';
import { createCanaryWatch } from '#registry/canary/watch.ts';
import type { DriftRecorder } from '#registry/drift/record-drift.ts';
import { startDrift } from '#registry/drift/start-drift.ts';
import { createApprovalService } from '#registry/feed/approvals/service.ts';
import { createDriftService } from '#registry/feed/drift/service.ts';
import { createRevocationService } from '#registry/feed/revocations/service.ts';
import { createFeedServer, type FeedServer } from '#registry/feed/server.ts';
import { createSignalService } from '#registry/feed/signals/service.ts';
import {
  createReportAnswers,
  createRevocationRecorder,
  type RecordRevocation,
} from '#registry/record-revocation.ts';
import { createRemoteKeys, guardedFetch } from '#registry/remote-keys.ts';
import { startSharedConsumers } from '#registry/shared-consumers.ts';
import { createChannelAnswers } from '#registry/signals/open-channel.ts';
import { type ReceiverOptions, startSignalReceiver } from '#registry/signals/start-receiver.ts';
import type { AuditSecrets } from '#registry/store/audit-append.ts';
import { openSqliteStore } from '#registry/store/sqlite-store.ts';
import type { Store } from '#registry/store/store.ts';
import { startStoreMetrics } from '#registry/store-metrics.ts';
import { type Address, netOptions } from '#runtime/address.ts';
import { type AuditConfiguration, readAuditConfiguration } from '#runtime/audit/audit-configuration.ts';
import { auditKeyFile, auditKeysOf, signerOf, signingKeyFile } from '#runtime/audit/audit-keys.ts';
import * as config from '#runtime/config.ts';
import { createEgressGuard, type EgressGuard } from '#runtime/egress-guard.ts';
import { drainGrpc, startGrpcServer } from '#runtime/grpc-server.ts';
import { bindPort, drainHttp } from '#runtime/http-listener.ts';
import { ensureKeyFile } from '#runtime/key-file.ts';
import { type Lifecycle, runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { startOpsServer } from '#runtime/ops-server.ts';
import { type InternalTls, startInternalTls } from '#runtime/tls/internal-tls.ts';
import { servedAddress } from '#runtime/tls/tls-address.ts';
import { bindAddress } from '#runtime/unix-socket.ts';

const { logLevel } = config.readConfig({ logLevel: config.logLevel });
const logger = createLogger('registry', logLevel);

const readSettings = () =>
  config.readConfig({
    stateDirectory: config.stateDirectory,
    port: config.port('REGISTRY_PORT', '8081'),
    feedAddress: servedAddress('REGISTRY_FEED_ADDRESS', config.socketDefault('registry-feed')),
    publicUrl: config.registryPublicUrl,
    sessionMaxAgeSeconds: config.sessionMaxAgeSeconds,
    publishAddress: config.localAddress('REGISTRY_PUBLISH_ADDRESS', config.socketDefault('registry-publish')),
    signalsPort: config.port('SIGNALS_PORT', '0'),
    signalsHost: config.text('SIGNALS_LISTEN_ADDRESS', '127.0.0.1'),
    secretsDirectory: config.text('SECRETS_DIRECTORY', join(process.cwd(), '.local', 'secrets')),
    signalsPublicUrl: config.signalsPublicUrl,
    opsAddress: config.localAddress('REGISTRY_OPS_ADDRESS', config.socketDefault('registry-ops')),
    adminIssuer: config.text('ADMIN_ISSUER'),
    adminJwksUri: config.url('ADMIN_JWKS_URI'),
    adminAudience: config.text('ADMIN_AUDIENCE'),
    allowPrivate: config.flag('EGRESS_ALLOW_PRIVATE', 'false'),
    allowedHosts: config.list('EGRESS_ALLOWED_HOSTS', ','),
    postgresUrl: config.secretUrl('postgres', 'postgresql')('POSTGRES_URL', config.NONE),
  });

/** Undefined where there is no receiver. */
const signalsUrlOf = (settings: ReturnType<typeof readSettings>): string | undefined =>
  settings.signalsPort === 0 ? undefined : settings.signalsPublicUrl;

/** Nobody pays for the driver of a database that is not used. */
const openStore = async (
  { postgresUrl, stateDirectory }: ReturnType<typeof readSettings>,
  audit: AuditSecrets,
): Promise<Store> => {
  if (postgresUrl === undefined)
    return openSqliteStore(join(stateDirectory, 'registry', 'registry.db'), audit);
  const { openPostgresStore } = await import('#registry/store/postgres-store.ts');
  return openPostgresStore(postgresUrl, audit);
};

const readAuditSecrets = ({ keyFile, signingKeyFile: signingFile }: AuditConfiguration): AuditSecrets => ({
  keys: auditKeysOf(ensureKeyFile(auditKeyFile(keyFile))),
  signer: signerOf(ensureKeyFile(signingKeyFile(signingFile))),
});

/** Signs the end of the audit chain every so often, and once more at the end. */
const startSigning = (store: Store, everyMs: number, lifecycle: Lifecycle): void => {
  const sign = (): Promise<void> =>
    store
      .signAudit(new Date().toISOString())
      .catch((thrown: unknown) =>
        logger.error({ error: GatewayError.from(thrown).message }, 'audit not signed'),
      );
  const timer = setInterval(() => void sign(), everyMs).unref();
  lifecycle.onStop('audit', async () => {
    clearInterval(timer);
    await sign();
  });
};

const startFeed = async (
  parts: {
    readonly store: Store;
    readonly metrics: Metrics;
    readonly address: Address;
    readonly tls: InternalTls | undefined;
    readonly publicUrl: string;
    readonly record: RecordRevocation;
    readonly openChannel: ReturnType<typeof createChannelAnswers>;
    readonly recordDrift: DriftRecorder['record'];
  },
  lifecycle: Lifecycle,
): Promise<FeedServer> => {
  const feed = createFeedServer({ source: parts.store, logger, metrics: parts.metrics });
  const ask = createApprovalAnswers({ ...parts, nowMs: Date.now, newId: randomUUID });
  const report = createReportAnswers(parts.record);
  const services = [
    feed.service,
    createApprovalService(ask, logger),
    createRevocationService(report, logger),
    createSignalService(parts.openChannel, logger),
    createDriftService(parts.recordDrift, logger),
  ];
  drainGrpc(lifecycle, await startGrpcServer(parts.address, services, parts.tls), { endStreams: feed.stop });
  return feed;
};

const startAdminTrusts = (
  settings: ReturnType<typeof readSettings>,
  { store, egress }: { readonly store: Store; readonly egress: EgressGuard },
  lifecycle: Lifecycle,
): AdminTrusts => {
  const { adminIssuer: issuer, adminJwksUri: jwksUri, adminAudience: audience } = settings;
  const platformKeys = createRemoteKeys({ issuer, jwksUri, logger, fetchKeys: fetch });
  lifecycle.onStop('admin keys', () => platformKeys.stop());
  const fetchKeys = guardedFetch(egress);
  const trusts = createAdminTrusts({
    platform: { issuer, audience, getKey: platformKeys.getKey },
    tenants: createAdminIssuers(store),
    createKeys: (address) => createRemoteKeys({ ...address, logger, fetchKeys }),
  });
  lifecycle.onStop('admin trusts', () => trusts.stop());
  return trusts;
};

/** Whoever reaches this socket is believed about certificates, so it is its owner's alone. */
const listenForEnvoy = (api: FastifyInstance, address: Address): Promise<void> =>
  bindAddress(address, (place) => api.listen(netOptions(place)));

const startApi = async (
  settings: ReturnType<typeof readSettings>,
  parts: Pick<
    ApiContext,
    'store' | 'consumers' | 'onReport' | 'preview' | 'nodeConfig' | 'recordRevocation' | 'onWrite'
  >,
  lifecycle: Lifecycle,
): Promise<ApiContext> => {
  const egress = createEgressGuard(settings);
  const adminTrusts = startAdminTrusts(settings, { store: parts.store, egress }, lifecycle);
  const context = {
    ...parts,
    checkUrl: (url: string) => egress.checkUrl(url),
    adminTrusts,
    publicUrl: settings.publicUrl,
    signalsUrl: signalsUrlOf(settings),
    logger,
    nowMs: () => Date.now(),
    newId: () => randomUUID(),
  };
  const authenticate = createAuthenticate(adminTrusts);
  const api = await createApi(context, authenticate);
  drainHttp(lifecycle, 'api', { server: api.server, close: () => api.close() });
  await bindPort({ host: '127.0.0.1', port: settings.port }, (place) => api.listen(place));
  const publishApi = await createPublishApi(context, authenticate);
  drainHttp(lifecycle, 'publish api', { server: publishApi.server, close: () => publishApi.close() });
  await listenForEnvoy(publishApi, settings.publishAddress);
  return context;
};

/** If there is to be a receiver. */
const startSignals = async (
  settings: ReturnType<typeof readSettings>,
  parts: Pick<ReceiverOptions, 'store' | 'keys' | 'record' | 'metrics'>,
  lifecycle: Lifecycle,
): Promise<void> => {
  if (settings.signalsPort === 0) return;
  const egress = createEgressGuard(settings);
  await startSignalReceiver({ ...settings, ...parts, egress, logger }, lifecycle);
};

const startCanaryWatch = (
  context: ApiContext,
  { feed, metrics }: { readonly feed: FeedServer; readonly metrics: Metrics },
  lifecycle: Lifecycle,
): void => {
  const watch = createCanaryWatch({ context, metrics, monotonicMs: () => performance.now() });
  const leave = feed.onFigures(watch.take);
  lifecycle.onStop('canary watch', () => {
    leave();
    return watch.stop();
  });
};

const countConnected = (feed: FeedServer): number =>
  feed.consumers().filter(({ connected }) => connected).length;

const start = async (lifecycle: Lifecycle): Promise<void> => {
  const settings = readSettings();
  const metrics = createMetrics('registry');
  const audit = readAuditConfiguration();
  const secrets = readAuditSecrets(audit);
  const store = await openStore(settings, secrets);
  lifecycle.onStop('store', () => store.close());
  startSigning(store, audit.checkpointMs, lifecycle);
  const health = await startStoreMetrics(metrics, store, logger);
  lifecycle.onStop('store metrics', () => health.stop());
  const tls = await startInternalTls({ logger, metrics });
  lifecycle.onStop('internal TLS', () => tls?.stop());
  const { feedAddress: address, publicUrl, sessionMaxAgeSeconds } = settings;
  const record = createRevocationRecorder({
    store,
    sessionMaxAgeSeconds,
    nowMs: Date.now,
    newId: randomUUID,
  });
  const openChannel = createChannelAnswers({
    store,
    keys: secrets.keys,
    publicUrl: signalsUrlOf(settings),
  });
  const recordDrift = startDrift({ store, logger, metrics }, lifecycle);
  const told = { record, openChannel, recordDrift };
  const feed = await startFeed({ store, metrics, address, tls, publicUrl, ...told }, lifecycle);
  const shared = startSharedConsumers({
    store,
    feed,
    logger,
    replica: randomUUID(),
    nowMs: () => Date.now(),
  });
  lifecycle.onStop('shared consumers', () => shared.stop());
  const consumers = shared.list;
  const { onReport, preview, nodeConfig } = feed;
  const { onWrite } = health;
  const parts = { store, consumers, onReport, preview, nodeConfig, recordRevocation: record, onWrite };
  startCanaryWatch(await startApi(settings, parts, lifecycle), { feed, metrics }, lifecycle);
  await startSignals(settings, { store, keys: secrets.keys, record, metrics }, lifecycle);
  await startOpsServer(lifecycle, {
    address: settings.opsAddress,
    metrics,
    readiness: () => ({
      ready: health.isHealthy(),
      facts: { sequence: health.sequence(), epoch: store.epoch, consumers: countConnected(feed) },
    }),
  });
  logger.info({ port: settings.port, sequence: health.sequence() }, 'registry ready');
};

runService(logger, start);
