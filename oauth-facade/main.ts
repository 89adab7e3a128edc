// Wiring of the sign-in façade: configuration, the registry's feed, the keys it seals with, its listener. No logic.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import { answerRequest } from '#oauth-facade/answer.ts';
import { browserCookies } from '#oauth-facade/browser.ts';
import { createDocuments } from '#oauth-facade/client/documents.ts';
import { configuredFacadeKeyFile } from '#oauth-facade/facade-keys.ts';
import { type Answerer, startFacadeServer } from '#oauth-facade/http/server.ts';
import { createAskProvider } from '#oauth-facade/provider/token-request.ts';
import { createSealer } from '#oauth-facade/sealer.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import type { FeedConsumer } from '#registry/feed/feed-consumer.ts';
import { feedFacts } from '#registry/feed/feed-facts.ts';
import {
  facadePublicUrl,
  flag,
  gatewayPublicUrl,
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
import { drainHttp } from '#runtime/http-listener.ts';
import { ensureKeyFile } from '#runtime/key-file.ts';
import { type KeyRing, openKeyRing } from '#runtime/key-ring.ts';
import { type Lifecycle, runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { startOpsServer } from '#runtime/ops-server.ts';
import { createRateLimit } from '#runtime/rate-limit.ts';
import { createSecretStore } from '#runtime/secret-files.ts';
import { type OpenedState, openSharedState, SHARED_STATE_VARIABLES } from '#runtime/shared-state/open.ts';
import { startInternalTls } from '#runtime/tls/internal-tls.ts';
import { dialledAddress } from '#runtime/tls/tls-address.ts';

const SHAPE = {
  publicUrl: facadePublicUrl,
  port: port('OAUTH_FACADE_PORT', '8082'),
  opsAddress: localAddress('OAUTH_FACADE_OPS_ADDRESS', socketDefault('oauth-facade-ops')),
  feedAddress: dialledAddress('REGISTRY_FEED_ADDRESS', socketDefault('registry-feed')),
  gatewayUrl: gatewayPublicUrl,
  egressAllowPrivate: flag('EGRESS_ALLOW_PRIVATE', 'false'),
  egressAllowedHosts: list('EGRESS_ALLOWED_HOSTS', ''),
  secretsDirectory: text('SECRETS_DIRECTORY', join(process.cwd(), '.local', 'secrets')),
  stateDirectory,
  ...SHARED_STATE_VARIABLES,
};

type Values = ReturnType<typeof readConfig<typeof SHAPE>>;

/** Registrations and unknown documents of one façade: more than a company has, and less than hurts anybody. */
const STRANGERS = { burst: 60, perSecond: 2 } as const;

const ID_BYTES = 32;

const logger = createLogger('oauth-facade', readConfig({ logLevel }).logLevel);

type Tools = {
  readonly config: Values;
  readonly metrics: Metrics;
  readonly lifecycle: Lifecycle;
};

const startFeed = async ({ config, metrics, lifecycle }: Tools): Promise<FeedConsumer> => {
  const tls = await startInternalTls({ logger, metrics });
  lifecycle.onStop('internal TLS', () => tls?.stop());
  let consumer: FeedConsumer | undefined;
  const feed = await startFeedConsumer({
    address: config.feedAddress,
    tls,
    consumer: 'oauth-facade',
    stateFile: join(config.stateDirectory, 'oauth-facade.snapshot.json'),
    logger,
    metrics,
    onSnapshot: ({ sequence }) => void consumer?.report({ sequence }),
  });
  consumer = feed;
  lifecycle.onStop('registry feed', () => feed.stop());
  feed.report({ sequence: feed.current().snapshot.sequence });
  return feed;
};

const openKeys = (): KeyRing => {
  const keyFile = configuredFacadeKeyFile();
  ensureKeyFile(keyFile);
  return openKeyRing(keyFile, { name: 'façade keys', logger, nowMs: Date.now });
};

const openState = async ({ config, metrics, lifecycle }: Tools): Promise<OpenedState> => {
  const nowMs = () => performance.now();
  const opened = await openSharedState(config, { logger, metrics, nowMs, random: Math.random });
  lifecycle.onStop('shared state', () => opened.state.stop());
  return opened;
};

const start = async (tools: Tools, publicUrl: string): Promise<void> => {
  const { config, metrics, lifecycle } = tools;
  const feed = await startFeed(tools);
  const ring = openKeys();
  const shared = await openState(tools);
  const { egressAllowPrivate: allowPrivate, egressAllowedHosts: allowedHosts } = config;
  const { fetch } = createEgressGuard({ allowPrivate, allowedHosts });
  const strangers = createRateLimit(STRANGERS);
  const parts = {
    snapshot: () => feed.current().snapshot,
    publicUrl,
    gatewayUrl: config.gatewayUrl,
    cookies: browserCookies(publicUrl),
    sealer: createSealer(ring, randomBytes),
    documents: createDocuments({ fetch, strangers, nowMs: Date.now }),
    askProvider: createAskProvider({ fetch, secrets: createSecretStore(config.secretsDirectory) }),
    state: shared.state,
    strangers,
    nowMs: Date.now,
    newId: () => randomBytes(ID_BYTES).toString('base64url'),
  };
  const readiness = () => {
    const facts = feedFacts(feed.current(), Date.now());
    const keys = { facadeKey: ring.current().current.id, facadeKeyFault: ring.fault() ?? null };
    return { ready: facts.source !== 'none', facts: { ...facts, ...keys, ...shared.facts() } };
  };
  const answer: Answerer = (request) => answerRequest(parts, request);
  const server = await startFacadeServer({ port: config.port, answer, logger, metrics });
  drainHttp(lifecycle, 'http', server);
  await startOpsServer(lifecycle, { address: config.opsAddress, metrics, readiness });
  logger.info({ port: server.port, publicUrl, ...shared.facts() }, 'oauth-facade serves');
};

runService(logger, async (lifecycle) => {
  const config = readConfig(SHAPE);
  if (config.publicUrl === undefined)
    throw new GatewayError('config_invalid', 'OAUTH_FACADE_PUBLIC_URL is required');
  await start({ config, metrics: createMetrics('oauth-facade'), lifecycle }, config.publicUrl);
});
