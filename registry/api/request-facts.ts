// What handlers read from a request beside its body: who calls, why, under which conditions.

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import '#registry/api/fastify-types.ts';
import type { Caller } from '#registry/api/auth/roles.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { entityTag, isNotModified } from '#registry/api/precondition.ts';
import { PROBLEM_MEDIA_TYPE, type Problem, problemDocument } from '#registry/api/problem.ts';

/** Path parameters as they were validated. */
export type PathParams = {
  readonly tenant: string;
  readonly id: string;
  readonly version: string;
  readonly number: string;
};

export const paramsOf = (request: FastifyRequest): PathParams => request.params as PathParams;

/** The caller, whom the authentication hook has put there. @throws if a route was opened by mistake. */
export const callerOf = (request: FastifyRequest): Caller => {
  if (request.caller === null) throw new Error('route without a caller');
  return request.caller;
};

const header = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
};

export const conditionsOf = (request: FastifyRequest) => ({
  ifMatch: header(request, 'if-match'),
  ifNoneMatch: header(request, 'if-none-match'),
});

/** Node reads header bytes as Latin-1; what people type is UTF-8 (RFC 9110 §5.5 leaves it open). */
const textFromHeader = (value: string): string => {
  const text = Buffer.from(value, 'latin1').toString('utf8');
  return text.includes('\uFFFD') ? value : text;
};

/** Why a change is made: the header or, on actions that say so, the body. Elsewhere nobody has checked a body's. */
const reasonOf = (request: FastifyRequest): string => {
  const { reasonInBody } = request.routeOptions.config;
  const body = reasonInBody === true ? (request.body as { readonly reason?: unknown } | null) : null;
  const inBody = typeof body?.reason === 'string' ? body.reason : undefined;
  return inBody ?? textFromHeader(header(request, 'x-change-reason') ?? '');
};

/** The key of the request, for the record of its commit. */
export const keyOf = ({ keyed }: FastifyRequest): Pick<ChangeRecord, 'request'> =>
  keyed === null ? {} : { request: keyed };

export const recordOf = (context: ApiContext, request: FastifyRequest, action: string): ChangeRecord => ({
  actor: callerOf(request).principal,
  action,
  reason: reasonOf(request),
  at: new Date(context.nowMs()).toISOString(),
  ...keyOf(request),
});

export const sendProblem = (reply: FastifyReply, problem: Problem): FastifyReply => {
  reply.request.problemCode = problem.code;
  return reply
    .code(problem.status)
    .headers({ ...problem.headers })
    .type(PROBLEM_MEDIA_TYPE)
    .send(problemDocument(problem));
};

/** Sends a resource with its ETag. */
export const sendResource = (
  reply: FastifyReply,
  {
    status,
    revision,
    body,
  }: { readonly status: 200 | 201; readonly revision: number; readonly body: unknown },
): FastifyReply => reply.code(status).header('etag', entityTag(revision)).send(body);

/** Answers a read with the resource, or with 304 where the client has it already (RFC 9110 §15.4.5: its ETag, no more). */
export const sendRead = (
  reply: FastifyReply,
  { revision, body }: { readonly revision: number; readonly body: unknown },
): FastifyReply =>
  isNotModified(conditionsOf(reply.request).ifNoneMatch, revision)
    ? reply.code(304).removeHeader('link').header('etag', entityTag(revision)).send()
    : sendResource(reply, { status: 200, revision, body });
