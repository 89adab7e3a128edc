// The HTTP API of the registry, put together. Knows no store, no socket and no token by itself.

import { type FastifyInstance, fastify } from 'fastify';
import '#registry/api/fastify-types.ts';
import { installAccess } from '#registry/api/access-hook.ts';
import { registerAdminIssuer } from '#registry/api/admin-issuer.ts';
import type { Authenticate } from '#registry/api/auth/authenticate.ts';
import { registerConsumers } from '#registry/api/consumers.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { answerUnroutable, installErrorHandler } from '#registry/api/error-handler.ts';
import { registerGrants } from '#registry/api/grants.ts';
import { registerHistory } from '#registry/api/history.ts';
import { registerIssuers } from '#registry/api/issuers.ts';
import { registerKillSwitches } from '#registry/api/kill-switches.ts';
import { registerManifests } from '#registry/api/manifests/manifests.ts';
import { collectMethods } from '#registry/api/method-not-allowed.ts';
import { installOpenApi, registerOpenApi } from '#registry/api/openapi.ts';
import { registerPublishers } from '#registry/api/publishers.ts';
import { installRequestChecks } from '#registry/api/request-checks.ts';
import { registerRestore } from '#registry/api/restore.ts';
import { registerRevisionDiff } from '#registry/api/revision-diff.ts';
import { registerServerState } from '#registry/api/server-state.ts';
import { registerServers } from '#registry/api/servers.ts';
import { registerStreams } from '#registry/api/streams.ts';
import { registerTenants } from '#registry/api/tenants.ts';
import { registerVersions } from '#registry/api/versions.ts';

/** A version with a thousand tools and their schemas; what is longer is a mistake or an attack. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** From the first byte to the last, milliseconds: a request that trickles in holds a socket no longer. */
const REQUEST_TIMEOUT_MS = 30_000;

const REGISTRATIONS = [
  registerTenants,
  registerAdminIssuer,
  registerIssuers,
  registerServers,
  registerServerState,
  registerVersions,
  registerGrants,
  registerPublishers,
  registerKillSwitches,
  registerManifests,
  registerStreams,
  registerHistory,
  registerRevisionDiff,
  registerRestore,
  registerConsumers,
];

/** Builds the API; the caller listens and closes. */
export const createApi = async (
  context: ApiContext,
  authenticate: Authenticate,
): Promise<FastifyInstance> => {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    logger: false,
    frameworkErrors: answerUnroutable,
  });
  installErrorHandler(app, context.logger);
  installRequestChecks(app);
  await installOpenApi(app);
  installAccess(app, { authenticate, logger: context.logger });
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  const registerRefusals = collectMethods(app);
  for (const register of REGISTRATIONS) register(app, context);
  registerOpenApi(app);
  registerRefusals();
  await app.ready();
  return app;
};
