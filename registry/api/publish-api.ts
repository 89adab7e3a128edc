// The door for publishers with client certificates: one route, on the socket that only our Envoy reaches. The header in
// which Envoy tells the certificate is believed here and nowhere else.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createApp } from '#registry/api/app.ts';
import type { Authenticate } from '#registry/api/auth/authenticate.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { registerSubmission } from '#registry/api/manifests/manifests.ts';
import { collectMethods } from '#registry/api/method-not-allowed.ts';
import { invalidRequest } from '#registry/api/problem.ts';
import { sendProblem } from '#registry/api/request-facts.ts';
import {
  CLIENT_CERTIFICATE_HEADER,
  parseForwardedCertificate,
} from '#registry/manifest/client-certificate.ts';

const refuse = (reply: FastifyReply, message: string): FastifyReply =>
  sendProblem(reply, invalidRequest([{ in: 'header', pointer: `/${CLIENT_CERTIFICATE_HEADER}`, message }]));

/** No certificate, no entry: Envoy asks for one in every handshake, so a request without it did not come by Envoy. */
const readCertificate = async (
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> => {
  const header = request.headers[CLIENT_CERTIFICATE_HEADER];
  if (typeof header !== 'string') return refuse(reply, 'is required here');
  const certificate = parseForwardedCertificate(header);
  if (!certificate.ok) return refuse(reply, certificate.error);
  request.clientCertificate = certificate.value;
  return undefined;
};

/** Builds the API; the caller listens and closes. */
export const createPublishApi = async (
  context: ApiContext,
  authenticate: Authenticate,
): Promise<FastifyInstance> => {
  const app = createApp({ context, authenticate, trustedHops: 1 });
  app.addHook('onRequest', readCertificate);
  const registerRefusals = collectMethods(app);
  registerSubmission(app, context);
  registerRefusals();
  await app.ready();
  return app;
};
