// Wiring of ext-authz: configuration, the registry's feed, the parts of a decision, the edge to Envoy. No logic.

import { join } from 'node:path';
import type { ConsumerStatus } from '#core/feed-message.ts';
import { err } from '#core/result.ts';
import { EMPTY_SNAPSHOT } from '#core/snapshot.ts';
import type { AskApproval } from '#ext-authz/approval/approvals.ts';
import { createDecisionSink } from '#ext-authz/audit/sink.ts';
import { startCallers } from '#ext-authz/callers.ts';
import { type ExtAuthzConfiguration, processNameIn, readConfiguration } from '#ext-authz/configuration.ts';
import { loggedHolder } from '#ext-authz/decision-log/decision-log.ts';
import { startDecisionLog } from '#ext-authz/decision-log/start.ts';
import { createSnapshotFollower } from '#ext-authz/follow-snapshots.ts';
import { authorizationService } from '#ext-authz/grpc-edge.ts';
import { createKeySetStore } from '#ext-authz/identity/key-set-store.ts';
import { createKeySets, type KeySets } from '#ext-authz/identity/key-sets.ts';
import type { World } from '#ext-authz/locate.ts';
import { createBundleSource } from '#ext-authz/policy/bundle.ts';
import { createCallPolicy } from '#ext-authz/policy/call-policy.ts';
import { createPolicyHolder, type PolicyHolder } from '#ext-authz/policy/holder.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { createPolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import { createRemotePolicies } from '#ext-authz/policy/remote-engine.ts';
import { type StartedTenantPolicies, startTenantPolicies } from '#ext-authz/policy/start-tenant-policies.ts';
import type { GraphWatch } from '#ext-authz/revocation/graph-watch.ts';
import { createTakeUp, type ForgetParts } from '#ext-authz/revocation/take-up.ts';
import { createSessions } from '#ext-authz/session/sessions.ts';
import { startTokenBroker } from '#ext-authz/token/start-broker.ts';
import { createApprovalClient } from '#registry/feed/approvals/client.ts';
import { startFeedConsumer } from '#registry/feed/consumer.ts';
import type { FeedConsumer } from '#registry/feed/feed-consumer.ts';
import { feedFacts } from '#registry/feed/feed-facts.ts';
import { createRevocationClient } from '#registry/feed/revocations/client.ts';
import { createSignalClient } from '#registry/feed/signals/client.ts';
import { readAuditConfiguration } from '#runtime/audit/audit-configuration.ts';
import type { AuditChain } from '#runtime/audit/chain-writer.ts';
import { startProcessChain } from '#runtime/audit/process-chain.ts';
import { logLevel, readConfig } from '#runtime/config.ts';
import { createEgressGuard, type EgressGuard } from '#runtime/egress-guard.ts';
import { drainGrpc, startGrpcServer } from '#runtime/grpc-server.ts';
import { type Lifecycle, runService } from '#runtime/lifecycle.ts';
import { createLogger, type Logger } from '#runtime/logger.ts';
import { createMetrics, type Metrics } from '#runtime/metrics.ts';
import { startOpsServer } from '#runtime/ops-server.ts';
import { createSecretStore } from '#runtime/secret-files.ts';
import { configuredSessionKeyFile, openSessionKeys } from '#runtime/session-keys.ts';
import { type OpenedState, openSharedState } from '#runtime/shared-state/open.ts';
import { type InternalTls, startInternalTls } from '#runtime/tls/internal-tls.ts';
import { startTracing } from '#runtime/tracing/start-tracing.ts';
import type { Tracing } from '#runtime/tracing/tracing.ts';

/** Longer than a token exchange may take, shorter than Envoy waits for a Check (xds-server/filters/ext-authz.ts). */
const CHECK_DEADLINE_MS = 4_500;

/** What is left of Envoy's patience for the record of a decision that took all of its time. */
const RECORD_DEADLINE_MS = 350;

type Tools = {
  readonly config: ExtAuthzConfiguration;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly egress: EgressGuard;
  readonly tls: InternalTls | undefined;
  readonly tracing: Tracing;
  readonly lifecycle: Lifecycle;
};

const startKeySets = ({ config, logger, metrics, egress, lifecycle }: Tools) => {
  const keySets = createKeySets({
    fetch: egress.fetch,
    store: createKeySetStore(join(config.stateDirectory, `${config.processName}-keys`)),
    logger,
    metrics,
    nowMs: Date.now,
    random: Math.random,
  });
  lifecycle.onStop('key sets', keySets.stop);
  return keySets;
};

const startPolicy = async ({ config, logger, metrics, lifecycle }: Tools) => {
  const policyMetrics = createPolicyMetrics(metrics);
  const source = createBundleSource(config.policyBundle, policyMetrics);
  const holder = await createPolicyHolder({ source, logger, metrics: policyMetrics });
  lifecycle.onStop('policy', holder.stop);
  return holder;
};

const startPolicyLog = async ({ config, logger, metrics, lifecycle }: Tools, holder: PolicyHolder) => {
  const started = await startDecisionLog(config, { logger, metrics });
  if (started === undefined) return holder;
  lifecycle.onStop('policy decision log', () => started.stop());
  return loggedHolder(holder, started.log);
};

/** What this process shares with others; ended after everything that stands on it. */
const startSharedState = async ({ config, logger, metrics, lifecycle }: Tools): Promise<OpenedState> => {
  const nowMs = () => performance.now();
  const shared = await openSharedState(config, { logger, metrics, nowMs, random: Math.random });
  lifecycle.onStop('shared state', () => shared.state.stop());
  return shared;
};

const startBroker = (tools: Tools, chain: AuditChain, shared: OpenedState) => {
  const { secretsDirectory } = tools.config;
  const started = startTokenBroker({ ...tools, secretsDirectory, chain, shared });
  tools.lifecycle.onStop('token broker', () => started.broker.stop());
  return started;
};

const worldOf = (feed: FeedConsumer, gatewayHost: string): World => {
  const { snapshot, freshAtMs, drift } = feed.current();
  return { snapshot, freshAtMs, drift, gatewayHost };
};

/** While the registry is there, no call is judged by revocations of yesterday; longer than this nobody waits for it. */
const SETTLE_MS = 2_000;

type FedParts = { readonly keySets: KeySets; readonly directories: GraphWatch };

const startFeed = async (
  { config, logger, metrics, lifecycle, tls }: Tools,
  { keySets, directories, ...forget }: FedParts & Omit<ForgetParts, 'snapshot' | 'logger' | 'metrics'>,
): Promise<{ readonly feed: FeedConsumer; readonly policies: StartedTenantPolicies }> => {
  let consumer: FeedConsumer | undefined;
  const policies = await startTenantPolicies({
    directory: join(config.stateDirectory, `${config.processName}-policies`),
    fetchBundle: async (name) => (await consumer?.fetchBundle(name)) ?? err('unreachable'),
    onChanged: () => follower.report(),
    logger,
    metrics,
  });
  lifecycle.onStop('policies of tenants', () => policies.stop());
  const report = (status: ConsumerStatus) => void consumer?.report(status);
  const follower = createSnapshotFollower({ keySets, policies, directories, report });
  const started = await startFeedConsumer({
    address: config.feedAddress,
    tls,
    consumer: config.processName,
    stateFile: join(config.stateDirectory, `${config.processName}.snapshot.json`),
    logger,
    metrics,
    onSnapshot: follower.follow,
    onEvent: (event) => {
      if (event.kind !== 'terminate-streams') directories.hint(event);
    },
    takesDrift: true,
    onRevocations: createTakeUp({
      ...forget,
      snapshot: () => consumer?.current().snapshot ?? EMPTY_SNAPSHOT,
      logger,
      metrics,
    }),
  });
  lifecycle.onStop('feed', () => started.stop());
  consumer = started;
  follower.follow(started.current().snapshot);
  await started.settled(SETTLE_MS);
  return { feed: started, policies };
};

const startApprovals = ({ config, lifecycle, tls }: Tools): AskApproval => {
  const client = createApprovalClient(config.feedAddress, tls);
  lifecycle.onStop('approvals', client.stop);
  return client.ask;
};

/** What is told to the registry beside the feed. */
const startReports = ({ config, lifecycle, tls }: Tools) => {
  const revocations = createRevocationClient(config.feedAddress, tls);
  const signals = createSignalClient(config.feedAddress, tls);
  lifecycle.onStop('revocation reports', revocations.stop);
  lifecycle.onStop('signal channels', signals.stop);
  return { report: revocations.report, openChannel: signals.openChannel };
};

const startChain = async ({ config, metrics, lifecycle }: Tools): Promise<AuditChain> => {
  const configuration = readAuditConfiguration();
  const chain = await startProcessChain({
    process: config.processName,
    configuration,
    metrics,
    nowMs: Date.now,
  });
  lifecycle.onStop('audit', () => chain.stop());
  return chain;
};

const start = async (tools: Tools): Promise<void> => {
  const { config, logger, metrics, lifecycle, tls, egress } = tools;
  const chain = await startChain(tools);
  const keySets = startKeySets(tools);
  const policy = await startPolicy(tools);
  const sessionKeys = openSessionKeys(configuredSessionKeyFile(), { logger, nowMs: Date.now });
  const shared = await startSharedState(tools);
  const { broker, facts: tokenFacts } = startBroker(tools, chain, shared);
  const reports = startReports(tools);
  const { secretsDirectory } = config;
  const known = { keySets, broker, shared, secretsDirectory };
  const { judged, fed } = startCallers({ ...tools, ...reports, ...known }, lifecycle);
  const { feed, policies } = await startFeed(tools, fed);
  const gatewayHost = new URL(config.publicUrl).hostname;
  const parts = {
    world: () => worldOf(feed, gatewayHost),
    ...judged,
    revocations: feed.current().revocations,
    policy: createCallPolicy({
      platform: createPolicy({ holder: await startPolicyLog(tools, policy) }),
      ...policies,
      remotes: createRemotePolicies({
        fetch: egress.fetch,
        readSecret: createSecretStore(config.secretsDirectory).read,
        metrics,
      }),
    }),
    askApproval: startApprovals(tools),
    sessions: createSessions(sessionKeys, config.sessionMaxAgeSeconds),
    sink: createDecisionSink({ chain, logger, metrics, nowMs: Date.now }),
    recordDeadlineMs: RECORD_DEADLINE_MS,
    publicUrl: config.publicUrl,
    facadeUrl: config.facadeUrl,
    deadlineMs: CHECK_DEADLINE_MS,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
  };
  drainGrpc(lifecycle, await startGrpcServer(config.address, [authorizationService(parts)], tls));
  const readiness = () => {
    const facts = feedFacts(feed.current(), Date.now());
    const judgedBy = {
      policy: policy.current().revision,
      policyFault: policy.fault() ?? null,
      tenantPoliciesFailing: policies.failing().length,
    };
    const audit = { auditFault: chain.fault() ?? null };
    return {
      ready: facts.source !== 'none',
      facts: { ...facts, ...judgedBy, ...audit, ...sessionKeys.facts(), ...tokenFacts() },
    };
  };
  await startOpsServer(lifecycle, { address: config.opsAddress, metrics, readiness });
  logger.info({ sequence: feed.current().snapshot.sequence, ...shared.facts() }, 'ext-authz serves');
};

const logger = createLogger(processNameIn(), readConfig({ logLevel }).logLevel);

runService(logger, async (lifecycle) => {
  const config = readConfiguration();
  const { egressAllowPrivate: allowPrivate, egressAllowedHosts: allowedHosts } = config;
  const egress = createEgressGuard({ allowPrivate, allowedHosts });
  const metrics = createMetrics('ext-authz');
  const tls = await startInternalTls({ logger, metrics });
  lifecycle.onStop('internal TLS', () => tls?.stop());
  const tracing = await startTracing('ext-authz', metrics);
  lifecycle.onStop('tracing', tracing.stop);
  await start({ config, logger, metrics, egress, tls, tracing, lifecycle });
});
