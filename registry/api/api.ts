// The HTTP API of the registry, put together. Knows no store, no socket and no token by itself.

import type { FastifyInstance } from 'fastify';
import { registerAdminIssuer } from '#registry/api/admin-issuer.ts';
import { createApp } from '#registry/api/app.ts';
import { registerDecisions } from '#registry/api/approvals/decisions.ts';
import { registerReviews } from '#registry/api/approvals/reviews.ts';
import type { Authenticate } from '#registry/api/auth/authenticate.ts';
import { registerCallApprovals } from '#registry/api/call-approvals.ts';
import { registerConsumers } from '#registry/api/consumers.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { registerDrift } from '#registry/api/drift.ts';
import { registerGrants } from '#registry/api/grants.ts';
import { registerHistory } from '#registry/api/history.ts';
import { registerHosts } from '#registry/api/hosts.ts';
import { registerIssuers } from '#registry/api/issuers.ts';
import { registerKillSwitches } from '#registry/api/kill-switches.ts';
import { registerLimits } from '#registry/api/limits.ts';
import { registerManifestDryRun } from '#registry/api/manifests/dry-run.ts';
import { registerManifests } from '#registry/api/manifests/manifests.ts';
import { collectMethods } from '#registry/api/method-not-allowed.ts';
import { registerNodeConfig } from '#registry/api/node-config.ts';
import { registerNodes } from '#registry/api/nodes.ts';
import { installOpenApi, registerOpenApi } from '#registry/api/openapi.ts';
import { registerPolicyBundles } from '#registry/api/policies/bundles.ts';
import { registerPolicy } from '#registry/api/policies/policy.ts';
import { registerPublishers } from '#registry/api/publishers.ts';
import { registerRestore } from '#registry/api/restore.ts';
import { registerRevisionDiff } from '#registry/api/revision-diff.ts';
import { registerRevocations } from '#registry/api/revocations.ts';
import { registerRollout } from '#registry/api/rollout/rollout.ts';
import { registerServerState } from '#registry/api/server-state.ts';
import { registerServers } from '#registry/api/servers.ts';
import { registerSignals } from '#registry/api/signals.ts';
import { registerStreams } from '#registry/api/streams.ts';
import { registerTenants } from '#registry/api/tenants.ts';
import { registerTraffic } from '#registry/api/traffic.ts';
import { registerVersions } from '#registry/api/versions.ts';

const REGISTRATIONS = [
  registerTenants,
  registerAdminIssuer,
  registerHosts,
  registerIssuers,
  registerServers,
  registerServerState,
  registerTraffic,
  registerLimits,
  registerDrift,
  registerVersions,
  registerReviews,
  registerDecisions,
  registerGrants,
  registerPublishers,
  registerPolicy,
  registerPolicyBundles,
  registerKillSwitches,
  registerManifests,
  registerManifestDryRun,
  registerStreams,
  registerRevocations,
  registerSignals,
  registerCallApprovals,
  registerHistory,
  registerRevisionDiff,
  registerRestore,
  registerRollout,
  registerConsumers,
  registerNodes,
  registerNodeConfig,
];

/** Builds the API; the caller listens and closes. */
export const createApi = async (
  context: ApiContext,
  authenticate: Authenticate,
): Promise<FastifyInstance> => {
  const app = createApp({ context, authenticate, trustedHops: 0 });
  await installOpenApi(app);
  const registerRefusals = collectMethods(app);
  for (const register of REGISTRATIONS) register(app, context);
  registerOpenApi(app);
  registerRefusals();
  await app.ready();
  return app;
};
