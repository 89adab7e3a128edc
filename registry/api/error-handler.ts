// Whatever goes wrong outside the handlers becomes a problem document here: bodies that are no JSON, requests that do
// not fit, paths nobody serves, broken machinery. Inner texts go to the log only.

import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import { GatewayError } from '#core/gateway-error.ts';
import { invalidRequest, type Problem, type ProblemFault } from '#registry/api/problem.ts';
import { sendProblem } from '#registry/api/request-facts.ts';
import type { Logger } from '#runtime/logger.ts';

/** Thrown by the validator compiler: the faults of one part of a request. */
export class RequestFaults extends Error {
  readonly faults: readonly ProblemFault[];

  constructor(faults: readonly ProblemFault[]) {
    super('the request does not fit its schema');
    this.name = 'RequestFaults';
    this.faults = faults;
  }
}

const BY_STATUS: Readonly<Record<number, Problem>> = {
  400: { status: 400, code: 'invalid-request', detail: 'The request cannot be read.' },
  414: { status: 414, code: 'invalid-request', detail: 'No part of a path is as long as this.' },
  413: { status: 413, code: 'body-too-large', detail: 'The body is too large.' },
  415: {
    status: 415,
    code: 'unsupported-media-type',
    detail: 'Send application/json, or application/merge-patch+json with PATCH.',
  },
};

const UNAVAILABLE: Problem = {
  status: 503,
  code: 'unavailable',
  detail: 'The registry cannot reach its store at the moment.',
  headers: { 'retry-after': '5' },
};

const INTERNAL: Problem = { status: 500, code: 'internal', detail: 'The registry failed.' };

const problemFromError = (error: unknown): Problem => {
  if (error instanceof RequestFaults) return invalidRequest(error.faults);
  if (error instanceof GatewayError && error.code === 'store_failed') return UNAVAILABLE;
  return BY_STATUS[(error as Partial<FastifyError>).statusCode ?? 500] ?? INTERNAL;
};

export const NOTHING_HERE: Problem = {
  status: 404,
  code: 'not-found',
  detail: 'There is nothing at this address.',
};

const UNREADABLE_ADDRESS: ProblemFault = {
  in: 'path',
  pointer: '',
  message: 'is not percent-encoded UTF-8 (RFC 3986 §2.1)',
};

/** For what is refused before a route is found: an address that cannot be read. */
export const answerUnroutable = (error: FastifyError, _request: unknown, reply: FastifyReply): void => {
  const problem = problemFromError(error);
  void sendProblem(reply, problem.status === 400 ? { ...problem, errors: [UNREADABLE_ADDRESS] } : problem);
};

/** Installs the handlers of errors and of unknown paths. */
export const installErrorHandler = (app: FastifyInstance, logger: Logger): void => {
  app.setErrorHandler((error: unknown, request, reply): FastifyReply => {
    const problem = problemFromError(error);
    if (problem.status >= 500) {
      const { code, message, stack } = GatewayError.from(error);
      logger.error({ route: request.routeOptions.url, code, error: message, stack }, 'request failed');
    }
    return sendProblem(reply, problem);
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, NOTHING_HERE));
};
