// Everything a decision stands on, as ext-authz puts it together (main.ts), in this process: the real policy, token check
// and cache, a chain and a log on real files, metrics. Played is only who brings the registry's world.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deny } from '#core/decision.ts';
import { err } from '#core/result.ts';
import { createRevocationBook } from '#core/revocation-book.ts';
import type { Snapshot } from '#core/snapshot.ts';
import { createDecisionSink } from '#ext-authz/audit/sink.ts';
import type { CheckParts } from '#ext-authz/check.ts';
import { createAuthenticator } from '#ext-authz/identity/authenticate.ts';
import { createReplayMemory } from '#ext-authz/identity/dpop-replay.ts';
import { createIntrospector } from '#ext-authz/identity/introspection.ts';
import { createKeySetStore } from '#ext-authz/identity/key-set-store.ts';
import { createKeySets } from '#ext-authz/identity/key-sets.ts';
import { createBundleSource, DEFAULT_BUNDLE } from '#ext-authz/policy/bundle.ts';
import { createCallPolicy } from '#ext-authz/policy/call-policy.ts';
import { createPolicyHolder } from '#ext-authz/policy/holder.ts';
import { createPolicy } from '#ext-authz/policy/judge.ts';
import { createPolicyMetrics } from '#ext-authz/policy/policy-metrics.ts';
import { createRemotePolicies } from '#ext-authz/policy/remote-engine.ts';
import { startTokenBroker } from '#ext-authz/token/start-broker.ts';
import { startProcessChain } from '#runtime/audit/process-chain.ts';
import { createEgressGuard } from '#runtime/egress-guard.ts';
import { createLogger } from '#runtime/logger.ts';
import { createMetrics } from '#runtime/metrics.ts';
import { createSecretStore } from '#runtime/secret-files.ts';
import { createMemoryState } from '#runtime/shared-state/memory.ts';
import { NO_TRACING } from '#runtime/tracing/tracing.ts';
import { SESSIONS } from '#test/support/session-world.ts';

/** Patient: on a machine that is busy with other things a record may be late, and no figure is about that. */
const DEADLINES = { deadlineMs: 60_000, recordDeadlineMs: 60_000 };

export type DecisionParts = { readonly parts: CheckParts; stop(): Promise<void> };

/** @param options.cachedTokens verified tokens that are remembered; 1: none comes twice in a row. */
export const startDecisionParts = async (
  snapshot: Snapshot,
  options: { readonly cachedTokens?: number | undefined } = {},
): Promise<DecisionParts> => {
  const directory = await mkdtemp(join(tmpdir(), 'mcpgw-decisions-'));
  const metrics = createMetrics('ext-authz');
  const logger = createLogger('ext-authz', 'info');
  const egress = createEgressGuard({ allowPrivate: true, allowedHosts: [] });
  const chain = await startProcessChain({
    process: 'ext-authz',
    configuration: {
      stateDirectory: directory,
      keyFile: join(directory, 'audit.key'),
      signingKeyFile: join(directory, 'signing.key'),
      durability: 'process',
      segmentBytes: 64 * 1024 * 1024,
      checkpointMs: 60_000,
    },
    metrics,
    nowMs: Date.now,
  });
  const store = createKeySetStore(join(directory, 'keys'));
  const clocks = { nowMs: Date.now, random: Math.random };
  const keySets = createKeySets({ fetch: egress.fetch, store, logger, metrics, ...clocks });
  keySets.follow(snapshot);
  const policyMetrics = createPolicyMetrics(metrics);
  const source = createBundleSource(DEFAULT_BUNDLE, policyMetrics);
  const holder = await createPolicyHolder({ source, logger, metrics: policyMetrics });
  const readSecret = createSecretStore(directory).read;
  const state = createMemoryState(() => performance.now());
  const facts = () => ({ sharedState: 'memory' as const, sharedStateUp: true });
  const shared = { state, kind: 'memory' as const, isShared: false, facts };
  const known = { shared, chain, egress, tracing: NO_TRACING, logger, metrics };
  const { broker } = startTokenBroker({ ...known, secretsDirectory: directory });
  const { cachedTokens } = options;
  const parts: CheckParts = {
    world: () => ({ snapshot, freshAtMs: Date.now(), gatewayHost: 'gateway.example' }),
    authenticator: createAuthenticator({
      keySets,
      introspector: createIntrospector({ fetch: egress.fetch, readSecret, metrics }),
      replays: createReplayMemory(),
      groups: { find: async () => err(deny('groups_lookup_refused')) },
      metrics,
      ...(cachedTokens === undefined ? {} : { maxCachedTokens: cachedTokens }),
    }),
    revocations: createRevocationBook(),
    policy: createCallPolicy({
      platform: createPolicy({ holder }),
      tenants: { engineOf: async () => err(deny('policy_failed')) },
      remotes: createRemotePolicies({ fetch: egress.fetch, readSecret, metrics }),
      shadow: { observe: () => {} },
    }),
    broker,
    askApproval: async () => err('nobody is asked'),
    sessions: SESSIONS,
    sink: createDecisionSink({ chain, logger, metrics, nowMs: Date.now }),
    publicUrl: 'https://gateway.example',
    ...DEADLINES,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
  };
  return {
    parts,
    stop: async () => {
      keySets.stop();
      holder.stop();
      await broker.stop();
      await chain.stop();
      await rm(directory, { recursive: true });
    },
  };
};
