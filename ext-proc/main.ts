// Wiring of the response guard: the gRPC service Envoy asks, the feed that says what to end, the operations endpoint.
// What may be seen travels with each call; what an answer is held against comes over the feed.

import { join } from 'node:path';
import { NO_DRIFT } from '#core/drift-book.ts';
import type { GuardOrders } from '#core/guard-orders.ts';
import { keyIdOf } from '#core/sealed-text.ts';
import { EMPTY_SNAPSHOT } from '#core/snapshot.ts';
import { createAnswerSteps } from '#ext-proc/answer-steps.ts';
import { startAnswerFigures } from '#ext-proc/figures/answer-figures.ts';
import { createHeldBytes } from '#ext-proc/held-bytes.ts';
import { createLiveStreams, type LiveStreams } from '#ext-proc/live-streams.ts';
import { createMeasures } from '#ext-proc/measures.ts';
import { createDriftWatch, type DriftWatch } from '#ext-proc/pins/drift-watch.ts';
import { createProcessService } from '#ext-proc/process.ts';
import { findRules } from '#ext-proc/rules/find-rules.ts';
import { createRulesDesk } from '#ext-proc/rules/rules-desk.ts';
import { BUILT_IN_DETECTORS } from '#ext-proc/sanitation/detectors/built-in.ts';
import { createConfiguredPlugins } from '#ext-proc/sanitation/plugins/configured-plugins.ts';
import { createSealer } from '#ext-proc/session/sealer.ts';
import { isEndedBy, isMeant, isRevoked, isSwitchedOff, isTakenAway } from '#ext-proc/termination.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import { createDriftClient, type DriftClient } from '#registry/feed/drift/client.ts';
import type { FeedConsumer, FeedConsumerOptions } from '#registry/feed/feed-consumer.ts';
import { feedFacts } from '#registry/feed/feed-facts.ts';
import { formatAddress } from '#runtime/address.ts';
import {
  integer,
  localAddress,
  logLevel,
  readConfig,
  socketDefault,
  stateDirectory,
} from '#runtime/config.ts';
import { drainGrpc, startGrpcServer } from '#runtime/grpc-server.ts';
import { type Lifecycle, runService } from '#runtime/lifecycle.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { type Readiness, startOpsServer } from '#runtime/ops-server.ts';
import { configuredSessionKeyFile, openSessionKeys } from '#runtime/session-keys.ts';
import { startInternalTls } from '#runtime/tls/internal-tls.ts';
import { dialledAddress, servedAddress } from '#runtime/tls/tls-address.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** The feed brings a change to all services within milliseconds. */
const RULES_PATIENCE_MS = 2_000;

const SHAPE = {
  address: servedAddress('EXT_PROC_ADDRESS', socketDefault('ext-proc')),
  opsAddress: localAddress('EXT_PROC_OPS_ADDRESS', socketDefault('ext-proc-ops')),
  feedAddress: dialledAddress('REGISTRY_FEED_ADDRESS', socketDefault('registry-feed')),
  stateDirectory,
  maxBodyBytes: integer(1024, 48 * MIB)('EXT_PROC_MAX_BODY_BYTES', String(8 * MIB)),
  maxEventBytes: integer(1024, 48 * MIB)('EXT_PROC_MAX_EVENT_BYTES', String(MIB)),
  maxHeldBytes: integer(MIB, 16 * GIB)('EXT_PROC_MAX_HELD_BYTES', String(256 * MIB)),
};

const logger = createLogger('ext-proc', readConfig({ logLevel }).logLevel);

/** What ends open streams beside a change of what is served. */
const endersOf = (liveStreams: LiveStreams): Pick<FeedConsumerOptions, 'onEvent' | 'onRevocations'> => ({
  onEvent: (event) => {
    if (event.kind !== 'terminate-streams') return;
    const ended = liveStreams.terminate((orders) => isMeant(event, orders), 'command');
    logger.info({ event: event.id, tenant: event.tenantId, actor: event.actor, ended }, 'streams terminated');
  },
  onRevocations: (revocations) => {
    const ended = liveStreams.terminate(isEndedBy(revocations), 'revoked');
    logger.info({ revocations: revocations.length, ended }, 'streams of revoked callers terminated');
  },
});

const endTakenAway = (liveStreams: LiveStreams, step: Parameters<typeof isTakenAway>[0]): void => {
  const nowMs = Date.now();
  liveStreams.terminate((orders) => isTakenAway(step, orders, nowMs), 'switched-off');
};

/** Why a stream that is opened now would be ended at once. */
const endedBy = (
  { snapshot, revocations }: Pick<ReturnType<FeedConsumer['current']>, 'snapshot' | 'revocations'>,
  orders: GuardOrders,
): 'switched-off' | 'revoked' | undefined => {
  if (isSwitchedOff(snapshot, orders, Date.now())) return 'switched-off';
  return isRevoked(revocations, orders) ? 'revoked' : undefined;
};

/** Ready is who has rules to serve by; the rest is for whoever looks. */
const readinessOf = (consumer: FeedConsumer, more: Readiness['facts']): Readiness => {
  const facts = feedFacts(consumer.current(), Date.now());
  const ready = facts.source !== 'none';
  return { ready, facts: { ...facts, endsStreams: ready, ...more } };
};

const startDetectors = async (lifecycle: Lifecycle, metrics: Metrics) => {
  const plugins = await createConfiguredPlugins({ metrics, logger });
  lifecycle.onStop('plug-ins', plugins.stop);
  return { detectors: [...BUILT_IN_DETECTORS, ...plugins.detectors], pluginFacts: plugins.facts };
};

const startDriftWatch = (
  lifecycle: Lifecycle,
  parts: {
    readonly reporter: DriftClient;
    readonly metrics: Metrics;
    readonly feed: () => FeedConsumer | undefined;
  },
): DriftWatch => {
  const { reporter, metrics, feed } = parts;
  const known = () => feed()?.current().drift ?? NO_DRIFT;
  const drift = createDriftWatch({ reporter, known, metrics, logger, nowMs: Date.now });
  lifecycle.onStop('reports of drift', () => {
    drift.stop();
    reporter.stop();
  });
  return drift;
};

runService(logger, async (lifecycle) => {
  const config = readConfig(SHAPE);
  const metrics = createMetrics('ext-proc');
  const tls = await startInternalTls({ logger, metrics });
  lifecycle.onStop('internal TLS', () => tls?.stop());
  const measures = createMeasures(metrics, logger);
  const { detectors, pluginFacts } = await startDetectors(lifecycle, metrics);
  const sessionKeys = openSessionKeys(configuredSessionKeyFile(), { logger, nowMs: Date.now });
  const sealer = createSealer(sessionKeys);
  const liveStreams = createLiveStreams();
  let served = EMPTY_SNAPSHOT;
  let feed: FeedConsumer | undefined;
  const reporter = createDriftClient(config.feedAddress, tls);
  const drift = startDriftWatch(lifecycle, { reporter, metrics, feed: () => feed });
  const judged = startAnswerFigures(lifecycle, () => feed);
  const rules = createRulesDesk({ snapshot: () => served, patienceMs: RULES_PATIENCE_MS });

  feed = await startFeedConsumer({
    address: config.feedAddress,
    tls,
    consumer: 'ext-proc',
    takesDrift: true,
    stateFile: join(config.stateDirectory, 'ext-proc.snapshot.json'),
    logger,
    metrics,
    onSnapshot: (snapshot) => {
      const before = served;
      served = snapshot;
      rules.arrived();
      drift.retain((place) => findRules(snapshot, place) !== undefined);
      endTakenAway(liveStreams, { before, after: snapshot });
      feed?.report({ sequence: snapshot.sequence });
    },
    ...endersOf(liveStreams),
  });
  const consumer = feed;
  lifecycle.onStop('registry feed', () => consumer.stop());
  consumer.report({ sequence: consumer.current().snapshot.sequence });

  const facts = () => ({ openStreams: liveStreams.count(), ...sessionKeys.facts(), ...pluginFacts() });
  const readiness = () => readinessOf(consumer, facts());

  const service = createProcessService({
    limits: config,
    liveStreams,
    heldBytes: createHeldBytes(config.maxHeldBytes, measures.held),
    measures,
    sealer,
    rulesFor: rules.rulesFor,
    steps: createAnswerSteps({ metrics, logger, measures, drift, detectors, sealer, judged }),
    keysFor: (sealed) => sessionKeys.knowing(keyIdOf(sealed)),
    endedBy: (orders) => endedBy({ ...consumer.current(), snapshot: served }, orders),
  });
  const stop = await startGrpcServer(config.address, [service], tls);
  drainGrpc(lifecycle, stop, { interruptStreams: liveStreams.interruptAll });
  // Last: whoever is ready guards answers already.
  await startOpsServer(lifecycle, { address: config.opsAddress, metrics, readiness });
  logger.info({ address: formatAddress(config.address) }, 'guarding answers');
});
