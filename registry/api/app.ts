// A Fastify application as both doors of the registry need it: strict reading, problem documents, the access hook.
// Knows no route.

import { type FastifyInstance, fastify } from 'fastify';
import '#registry/api/fastify-types.ts';
import { installAccess } from '#registry/api/access-hook.ts';
import type { Authenticate } from '#registry/api/auth/authenticate.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { answerUnroutable, installErrorHandler } from '#registry/api/error-handler.ts';
import { installIdempotency } from '#registry/api/idempotency.ts';
import { installRefusalLog } from '#registry/api/refusal-log.ts';
import { installRequestChecks } from '#registry/api/request-checks.ts';
import { installWait } from '#registry/api/rollout/wait-hook.ts';

/** A version with a thousand tools and their schemas; what is longer is a mistake or an attack. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
/** The id of a node, 256 characters, percent-encoded. */
const MAX_PARAM_LENGTH = 768;
/** From the first byte to the last, milliseconds: a request that trickles in holds a socket no longer. */
const REQUEST_TIMEOUT_MS = 30_000;

export type Door = {
  readonly context: ApiContext;
  readonly authenticate: Authenticate;
  /** Proxies in front whose `x-forwarded-for` entries are believed. */
  readonly trustedHops: number;
};

/** An application without routes. Hooks that must see the routes' schemas are installed before the first of them. */
export const createApp = ({ context, authenticate, trustedHops }: Door): FastifyInstance => {
  const app = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Who is answered is answered to the end, also on the way out: a write may be made already.
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    logger: false,
    frameworkErrors: answerUnroutable,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    trustProxy: (_address, hop) => hop < trustedHops,
  });
  app.decorateRequest('clientCertificate', null);
  installErrorHandler(app, context.logger);
  installRefusalLog(app, context);
  installRequestChecks(app);
  installAccess(app, { authenticate, logger: context.logger });
  // Before the keys: the answer that is kept for a key is the one after the waiting.
  installWait(app, context);
  installIdempotency(app, context);
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
  });
  return app;
};
