// Wiring of the sign-in façade: configuration, the registry's feed, the keys it seals with, its listener. No logic.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { GatewayError } from '#core/gateway-error.ts';
import { answerRequest } from '#oauth-facade/answer.ts';
import { browserCookies } from '#oauth-facade/browser.ts';
import { createDocuments } from '#oauth-facade/client/documents.ts';
import { configuredFacadeKeyFile } from '#oauth-facade/facade-keys.ts';
import { startFacadeServer } from '#oauth-facade/http/server.ts';
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
import { ensureKeyFile } from '#runtime/key-file.ts';
import { openKeyRing } from '#runtime/key-ring.ts';
import { runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { startOpsServer } from '#runtime/ops-server.ts';
import { createRateLimit } from '#runtime/rate-limit.ts';
import { createSecretStore } from '#runtime/secret-files.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
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
};

/** Registrations and unknown documents of one façade: more than a company has, and less than hurts anybody. */
const STRANGERS = { burst: 60, perSecond: 2 } as const;

const ID_BYTES = 32;

const logger = createLogger('oauth-facade', readConfig({ logLevel }).logLevel);

runService(logger, async (lifecycle) => {
  const config = readConfig(SHAPE);
  const { publicUrl } = config;
  if (publicUrl === undefined)
    throw new GatewayError('config_invalid', 'OAUTH_FACADE_PUBLIC_URL is required');
  const metrics = createMetrics('oauth-facade');
  const tls = await startInternalTls({ logger, metrics });
  lifecycle.onStop('internal TLS', () => tls?.stop());
  const keyFile = configuredFacadeKeyFile();
  ensureKeyFile(keyFile);
  const ring = openKeyRing(keyFile, { name: 'façade keys', logger, nowMs: Date.now });
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
  const state = createMemoryState(Date.now);
  lifecycle.onStop('shared state', () => state.stop());
  const { fetch } = createEgressGuard({
    allowPrivate: config.egressAllowPrivate,
    allowedHosts: config.egressAllowedHosts,
  });
  const strangers = createRateLimit(STRANGERS);
  const parts = {
    snapshot: () => feed.current().snapshot,
    publicUrl,
    gatewayUrl: config.gatewayUrl,
    cookies: browserCookies(publicUrl),
    sealer: createSealer(ring, randomBytes),
    documents: createDocuments({ fetch, strangers, nowMs: Date.now }),
    askProvider: createAskProvider({ fetch, secrets: createSecretStore(config.secretsDirectory) }),
    state,
    strangers,
    nowMs: Date.now,
    newId: () => randomBytes(ID_BYTES).toString('base64url'),
  };
  const readiness = () => {
    const facts = feedFacts(feed.current(), Date.now());
    const keys = { facadeKey: ring.current().current.id, facadeKeyFault: ring.fault() ?? null };
    return { ready: facts.source !== 'none', facts: { ...facts, ...keys } };
  };
  lifecycle.onStop('operations', await startOpsServer({ address: config.opsAddress, metrics, readiness }));
  const answer = (request: Parameters<typeof answerRequest>[1]) => answerRequest(parts, request);
  const server = await startFacadeServer({ port: config.port, answer, logger, metrics });
  lifecycle.onStop('http', server.close);
  logger.info({ port: server.port, publicUrl }, 'oauth-facade serves');
});
