// Requests that may be sent again: a POST that names itself with an Idempotency-Key is carried out once, and answered
// the same as often as it is sent (draft-ietf-httpapi-idempotency-key-header). The commit itself settles that it was
// done (store/idempotency.ts), so a registry that dies in between is no reason to do it twice.

import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { KeptAnswer, KeyedRequest, KeyState } from '#registry/store/keyed-request.ts';
import '#registry/api/fastify-types.ts';
import { GatewayError } from '#core/gateway-error.ts';
import type { ApiContext } from '#registry/api/context.ts';
import type { Problem, ProblemCode } from '#registry/api/problem.ts';
import { callerOf, paramsOf, sendProblem } from '#registry/api/request-facts.ts';

const HEADER = 'idempotency-key';

/** Larger answers are not kept: that the request was done is, and what it did can be read. */
const MAX_KEPT_CHARACTERS = 1024 * 1024;

const KEPT_HEADERS = ['content-type', 'etag', 'location', 'link', 'rollout-state'];

/** The header of every POST. */
export const IdempotencyHeader = {
  [HEADER]: Type.Optional(
    Type.String({
      // A structured field string (RFC 9651 §3.3.3); most clients send it without the quotes.
      pattern: '^("[A-Za-z0-9._~:/+=-]{1,128}"|[A-Za-z0-9._~:/+=-]{1,128})$',
      description:
        'Chosen by the client, new for each request: the same request with the same key is carried out once within 24 hours.',
    }),
  ),
};

const headerOf = (request: FastifyRequest, name: string): string => String(request.headers[name] ?? '');

const isDryRun = (request: FastifyRequest): boolean =>
  (request.query as { readonly dryRun?: string }).dryRun === 'true';

const digestOf = (facts: readonly string[], bytes: Uint8Array | string = ''): string =>
  createHash('sha256').update(JSON.stringify(facts)).update('\n').update(bytes).digest('hex');

/** Everything that makes the request the one it is. */
const fingerprintOf = (request: FastifyRequest): string => {
  const { method, url, body } = request;
  const meaning = ['if-match', 'x-change-reason', 'x-jws-signature'].map((name) => headerOf(request, name));
  const bytes = body instanceof Uint8Array ? body : JSON.stringify(body ?? null);
  return digestOf([method, url, ...meaning], bytes);
};

/** One caller's key is never another's, nor the same on another route or in another tenant. */
const scopeOf = (request: FastifyRequest, caller: string): string => {
  const key = headerOf(request, HEADER).replaceAll('"', '');
  return digestOf([paramsOf(request).tenant, caller, request.method, request.routeOptions.url ?? '', key]);
};

const problem = (code: ProblemCode, status: number, message: string, retryAfter?: string): Problem => ({
  status,
  code,
  detail: 'The Idempotency-Key cannot be used for this now.',
  errors: [{ in: 'header', pointer: `/${HEADER}`, message }],
  ...(retryAfter === undefined ? {} : { headers: { 'retry-after': retryAfter } }),
});

const REFUSALS: Readonly<Record<'other-request' | 'running' | 'full', Problem>> = {
  'other-request': problem('idempotency-key-reused', 422, 'was used for another request: take a new one'),
  running: problem('idempotency-key-in-progress', 409, 'its request is being carried out', '1'),
  full: problem('too-many-requests', 429, 'too many keys were used in this tenant within a day', '3600'),
};

const unanswered = (sequence: number): Problem =>
  problem(
    'idempotency-answer-lost',
    409,
    `its request was carried out, in commit ${sequence} of the audit, and its answer was not kept: read what it did`,
  );

const replay = (reply: FastifyReply, { status, headers, body }: KeptAnswer): FastifyReply =>
  reply.code(status).headers(headers).header('idempotency-replayed', 'true').send(body);

const answerKnown = (reply: FastifyReply, state: Exclude<KeyState, { readonly kind: 'reserved' }>) => {
  if (state.kind === 'answered') return replay(reply, state.answer);
  return sendProblem(reply, state.kind === 'unanswered' ? unanswered(state.sequence) : REFUSALS[state.kind]);
};

/**
 * Takes the key of a request for `caller`, who must have been authenticated: a stranger must not fill the store.
 * @returns the reply where the request was answered, or is refused; undefined: it is to be carried out.
 */
export const admitKeyed = async (
  context: ApiContext,
  reply: FastifyReply,
  caller: string,
): Promise<FastifyReply | undefined> => {
  const { request } = reply;
  if (request.headers[HEADER] === undefined || isDryRun(request)) return undefined;
  const keyed: KeyedRequest = { scope: scopeOf(request, caller), owner: context.newId() };
  const { tenant: tenantId } = paramsOf(request);
  const reservation = { ...keyed, tenantId, fingerprint: fingerprintOf(request) };
  const state = await context.store.reserveKey(reservation, context.nowMs());
  if (state.kind !== 'reserved') return answerKnown(reply, state);
  request.keyed = keyed;
  return undefined;
};

const keptAnswer = (reply: FastifyReply, payload: unknown): KeptAnswer | undefined => {
  const body = typeof payload === 'string' ? payload : '';
  const headers = KEPT_HEADERS.flatMap((name) => {
    const value = reply.getHeader(name);
    return value === undefined ? [] : [[name, String(value)]];
  });
  return body.length > MAX_KEPT_CHARACTERS
    ? undefined
    : { status: reply.statusCode, headers: Object.fromEntries(headers), body };
};

/** A refusal that changed nothing gives the key back; one that came after a commit is an answer like any other. */
const settle = async ({ store }: ApiContext, reply: FastifyReply, payload: unknown): Promise<void> => {
  const { keyed } = reply.request;
  // After a failure nobody here knows what was committed; the key's row does.
  if (keyed === null || reply.statusCode >= 500) return;
  if (reply.statusCode >= 400) await store.releaseKey(keyed);
  const answer = keptAnswer(reply, payload);
  if (answer !== undefined) await store.keepAnswer(keyed, answer);
};

/** Installs keys for the routes that take them. Call it after the door: a key counts for its caller. */
export const installIdempotency = (app: FastifyInstance, context: ApiContext): void => {
  app.decorateRequest('keyed', null);
  app.addHook('preHandler', async (request, reply) => {
    // An open route takes the key itself, once it knows who sends.
    if (request.routeOptions.config.keyed !== true || request.caller === null) return undefined;
    return admitKeyed(context, reply, callerOf(request).principal);
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    await settle(context, reply, payload).catch((thrown: unknown) => {
      // It was done, and its commit says so; only the answer cannot be given again.
      context.logger.error(
        { error: GatewayError.from(thrown).message },
        'answer of a keyed request not kept',
      );
    });
    return payload;
  });
};
