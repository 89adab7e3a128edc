// The door of the API: no route without a declared access, no handler before the caller is known and permitted.
// Runs before the body is read, so a stranger cannot make the registry parse anything.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticate, AuthenticationFault } from '#registry/api/auth/authenticate.ts';
import { isPermitted, rolesFor } from '#registry/api/auth/roles.ts';
import { NOTHING_HERE } from '#registry/api/error-handler.ts';
import type { Problem } from '#registry/api/problem.ts';
import { paramsOf, sendProblem } from '#registry/api/request-facts.ts';
import type { Logger } from '#runtime/logger.ts';

const challenge = (error?: string): Problem => ({
  status: 401,
  code: 'unauthenticated',
  detail: 'A valid access token of an admin issuer is required.',
  // RFC 6750 §3.1: no error code where no token was sent.
  headers: {
    'www-authenticate': `Bearer realm="registry"${error === undefined ? '' : `, error="${error}"`}`,
  },
});

const UNAVAILABLE: Problem = {
  status: 503,
  code: 'unavailable',
  detail: 'The keys of the admin issuer cannot be fetched at the moment.',
  headers: { 'retry-after': '5' },
};

const problemFrom = (fault: AuthenticationFault): Problem => {
  if (fault.kind === 'unavailable') return UNAVAILABLE;
  return challenge(fault.kind === 'invalid' ? 'invalid_token' : undefined);
};

const forbidden = (roles: readonly string[]): Problem => ({
  status: 403,
  code: 'forbidden',
  detail: `This needs one of the roles ${roles.join(', ')}.`,
});

/** Lets a request in, or answers it. */
const admit = async (
  parts: { readonly authenticate: Authenticate; readonly logger: Logger },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> => {
  const { access } = request.routeOptions.config;
  if (access === 'open') return undefined;
  const caller = await parts.authenticate(request.headers.authorization);
  if (!caller.ok) {
    const code = caller.error.kind === 'invalid' ? caller.error.code : caller.error.kind;
    parts.logger.info({ route: request.routeOptions.url, code }, 'caller refused');
    return sendProblem(reply, problemFrom(caller.error));
  }
  request.principal = caller.value.principal;
  const { tenant = '' } = paramsOf(request);
  if (access === undefined || !isPermitted(caller.value, access, tenant)) {
    parts.logger.info(
      { route: request.routeOptions.url, principal: caller.value.principal },
      'caller not permitted',
    );
    return sendProblem(reply, forbidden(rolesFor(access ?? 'platform', tenant)));
  }
  request.caller = caller.value;
  return undefined;
};

/** Installs the door. Call it before any route is registered. */
export const installAccess = (
  app: FastifyInstance,
  parts: { readonly authenticate: Authenticate; readonly logger: Logger },
): void => {
  app.decorateRequest('caller', null);
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined)
      throw new Error(`route ${String(route.method)} ${route.url} does not say whom it is for`);
  });
  app.addHook('onRequest', async (request, reply) =>
    request.is404 ? sendProblem(reply, NOTHING_HERE) : admit(parts, request, reply),
  );
};
