// The door for identity providers: an HTTP server of its own, which knows two addresses for each issuer that has channels,
// and answers everything else alike. Whoever knocks is a stranger until a signature or a secret says otherwise.

import { type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import type { TrustedIssuer } from '#core/issuer.ts';
import { findEnabledIssuer, type IssuerPlace } from '#registry/signals/find-channel.ts';
import { type EventsParts, receiveEvents } from '#registry/signals/receive-events.ts';
import {
  answerEvents,
  answerFailure,
  answerNotifications,
  answerValidation,
} from '#registry/signals/reply.ts';
import { type NotificationParts, takeNotifications } from '#registry/signals/take-notifications.ts';
import type { SignalChannelName } from '#registry/store/signal.ts';
import type { Store } from '#registry/store/store.ts';
import type { Logger } from '#runtime/logger.ts';
import { createRateLimit } from '#runtime/rate-limit.ts';

export type ReceiverParts = EventsParts &
  NotificationParts & {
    readonly store: Pick<Store, 'findTenant'>;
    readonly logger: Logger;
    readonly onDelivery: (channel: SignalChannelName, outcome: string) => void;
  };

/** An event has a kilobyte or two. */
const MAX_SET_BYTES = 64 * 1024;
/** A thousand notifications. */
const MAX_NOTIFICATIONS_BYTES = 1024 * 1024;

/** From the first byte to the last, milliseconds, and how often that is looked at: nobody holds a socket by trickling. */
const REQUEST_TIMEOUT_MS = 5_000;
const LOOK_EVERY_MS = 1_000;
const MAX_CONNECTIONS = 1_000;

/** Deliveries worked through at once; the others are told to come again. */
const MAX_RUNNING = 64;

/** Refusals of one channel that are logged: a burst, then one a second. */
const LOGGED = { burst: 10, perSecond: 1 };

/** Longest id of a tenant or an issuer. */
const MAX_PARAM_LENGTH = 64;

declare module 'fastify' {
  interface FastifyRequest {
    /** The issuer whose channel the address is; null where there is none. */
    signalIssuer: TrustedIssuer | null;
  }
}

const placeOf = (reply: FastifyReply): IssuerPlace => {
  const { tenant, issuer } = reply.request.params as Record<'tenant' | 'issuer', string>;
  return { tenantId: tenant, issuerId: issuer };
};

/** Fastify's own answer would repeat the address. */
const answerUnroutable = (_error: FastifyError, _request: unknown, reply: FastifyReply): void =>
  void reply.code(404).send();

const createServer = (): FastifyInstance => {
  const app = fastify({
    logger: false,
    forceCloseConnections: 'idle',
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: LOOK_EVERY_MS },
    frameworkErrors: answerUnroutable,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  return app;
};

/** Answers of what was not even read. The texts are ours: an error of a library may repeat what was sent. */
const installRefusals = (app: FastifyInstance, { logger }: ReceiverParts): void => {
  // Before a body is read: anybody may send anything here.
  app.addHook('onRequest', async (request, reply) => (request.is404 ? reply.code(404).send() : undefined));
  app.setNotFoundHandler((_request, reply) => reply.code(404).send());
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status < 500) return reply.code(status).send();
    logger.error({ route: request.routeOptions.url, error: error.message }, 'a signal could not be taken');
    return answerFailure(reply);
  });
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
  });
};

type Route = {
  readonly channel: SignalChannelName;
  readonly path: 'events' | 'graph';
  readonly contentType: string | RegExp;
  readonly bodyLimit: number;
  readonly has: (issuer: TrustedIssuer) => boolean;
  /** @returns how it ended, for the metric. */
  readonly handle: (reply: FastifyReply, issuer: TrustedIssuer, body: string) => Promise<string>;
};

/** Bodies come as text, whatever they hold: what is signed must not be parsed before it is verified. */
const register = (app: FastifyInstance, parts: ReceiverParts, route: Route): void => {
  const { channel, contentType, bodyLimit } = route;
  let running = 0;
  const handle = async (reply: FastifyReply, issuer: TrustedIssuer, body: string): Promise<string> => {
    if (running >= MAX_RUNNING) {
      reply.code(503).header('retry-after', '1').send();
      return 'busy';
    }
    running += 1;
    try {
      return await route.handle(reply, issuer, body);
    } finally {
      running -= 1;
    }
  };
  app.register((scope, _options, registered) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(contentType, { parseAs: 'string', bodyLimit }, (_request, body, done) =>
      done(null, body),
    );
    scope.addHook('onRequest', async (request, reply) => {
      const issuer = await findEnabledIssuer(parts.store, placeOf(reply));
      if (issuer === undefined || !route.has(issuer)) return reply.code(404).send();
      request.signalIssuer = issuer;
      return undefined;
    });
    scope.post(`/v1/signals/:tenant/:issuer/${route.path}`, async (request, reply) => {
      if (request.signalIssuer === null) return reply.code(404).send();
      const body = typeof request.body === 'string' ? request.body : '';
      parts.onDelivery(channel, await handle(reply, request.signalIssuer, body));
      return reply;
    });
    registered();
  });
};

const eventsRoute = (parts: ReceiverParts, logRefusal: LogRefusal): Route => ({
  channel: 'shared-signals',
  path: 'events',
  contentType: /^application\/secevent\+jwt(?:;|$)/i,
  bodyLimit: MAX_SET_BYTES,
  has: ({ signals }) => signals?.sharedSignals !== undefined,
  handle: async (reply, issuer, body) => {
    const settings = issuer.signals?.sharedSignals;
    if (settings === undefined) return 'gone';
    const place = placeOf(reply);
    const { authorization } = reply.request.headers;
    const answer = await receiveEvents(parts, { place, issuer, settings, authorization, body });
    if (answer.kind === 'refused') logRefusal(place, answer.refusal.code);
    if (answer.kind === 'unavailable') logRefusal(place, answer.because);
    return answerEvents(reply, answer);
  },
});

const graphRoute = (parts: ReceiverParts, logRefusal: LogRefusal): Route => ({
  channel: 'graph',
  path: 'graph',
  // The handshake comes as text/plain, notifications as JSON.
  contentType: /^(?:application\/json|text\/plain)(?:;|$)/i,
  bodyLimit: MAX_NOTIFICATIONS_BYTES,
  has: ({ signals }) => signals?.graph?.notifications === true,
  handle: async (reply, issuer, body) => {
    const settings = issuer.signals?.graph;
    if (settings === undefined) return 'gone';
    const { validationToken } = reply.request.query as { readonly validationToken?: unknown };
    if (validationToken !== undefined) return answerValidation(reply, validationToken);
    const place = placeOf(reply);
    const answer = await takeNotifications(parts, { place, issuer, settings, body });
    if (answer !== 'accepted') logRefusal(place, answer);
    return answerNotifications(reply, answer);
  },
});

type LogRefusal = (place: IssuerPlace, because: string) => void;

const createRefusalLog = ({ logger, nowMs }: ReceiverParts): LogRefusal => {
  const logged = createRateLimit(LOGGED);
  return ({ tenantId: tenant, issuerId: issuer }, because) => {
    if (logged.take(`${tenant}/${issuer}`, nowMs()) === 0)
      logger.warn({ tenant, issuer, because }, 'a signal was not taken');
  };
};

/** Builds the receiver; the caller listens and closes. */
export const createSignalReceiver = async (parts: ReceiverParts): Promise<FastifyInstance> => {
  const app = createServer();
  app.decorateRequest('signalIssuer', null);
  installRefusals(app, parts);
  const logRefusal = createRefusalLog(parts);
  for (const route of [eventsRoute(parts, logRefusal), graphRoute(parts, logRefusal)])
    register(app, parts, route);
  await app.ready();
  return app;
};
