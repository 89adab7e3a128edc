// 405 with Allow for paths that exist under another method (RFC 9110 §15.5.6). Collected while routes register.

import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';
import type { Problem } from '#registry/api/problem.ts';
import { sendProblem } from '#registry/api/request-facts.ts';

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

const problemFor = (allowed: readonly string[]): Problem => ({
  status: 405,
  code: 'method-not-allowed',
  detail: `This resource knows ${allowed.join(', ')}.`,
  headers: { allow: allowed.join(', ') },
});

/** Collects routes from now on; the returned function registers the refusals and must be called after the last route. */
export const collectMethods = (app: FastifyInstance): (() => void) => {
  const methods = new Map<string, Set<string>>();
  let collecting = true;
  app.addHook('onRoute', (route) => {
    if (!collecting) return;
    const known = methods.get(route.url) ?? new Set();
    for (const method of [route.method].flat()) known.add(method);
    methods.set(route.url, known);
  });
  return () => {
    collecting = false;
    for (const [url, known] of methods) {
      const problem = problemFor([...known].toSorted());
      const refuse = async (_request: FastifyRequest, reply: FastifyReply) => sendProblem(reply, problem);
      app.route({
        method: METHODS.filter((method) => !known.has(method)) as HTTPMethods[],
        url,
        config: { access: 'open' },
        schema: { hide: true },
        // Before a body is read: nobody knows who asks.
        onRequest: refuse,
        handler: refuse,
      });
    }
  };
};
