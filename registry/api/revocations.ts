// /v1/tenants/{tenant}/revocations: what somebody held before a moment counts no more. There is no way back: whoever is
// meant by mistake signs in anew, while an undo would bring a stolen token back to life.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { RevocationFault, RevocationTarget } from '#core/revocation.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { IdempotencyHeader } from '#registry/api/idempotency.ts';
import { linkNext, pageByNumber } from '#registry/api/paging.ts';
import { noSuchResource, type Problem } from '#registry/api/problem.ts';
import { callerOf, keyOf, paramsOf, recordOf, sendProblem } from '#registry/api/request-facts.ts';
import { answerOf, pageResponses, REPLAYED } from '#registry/api/response-schema.ts';
import {
  ActionHeaders,
  ItemParams,
  PROBLEM_RESPONSES,
  pageQuery,
  Reason,
  TenantParams,
} from '#registry/api/route-schema.ts';
import { RevocationTargetSchema } from '#registry/feed/schema/revocation-schema.ts';
import { Id, Moment as SentMoment } from '#registry/feed/schema/words.ts';
import type { StoredRevocation } from '#registry/store/revocation.ts';

const LIST = '/v1/tenants/:tenant/revocations';
const TAGS = ['revocations'];
const Moment = Type.String({ format: 'date-time' });

const View = Type.Object({
  number: Type.Integer({ description: 'Orders a list: of the commit that made or moved it last.' }),
  id: Id,
  target: RevocationTargetSchema,
  notBefore: Type.String({
    format: 'date-time',
    description: 'Tokens and sessions that began before this are refused.',
  }),
  source: Type.String({ description: 'operator, shared-signals, graph or token-exchange.' }),
  reason: Type.String(),
  actor: Type.Optional(Type.String({ description: 'The operator, where it was one.' })),
  at: Moment,
  until: Type.String({
    format: 'date-time',
    description: 'Nothing from before `notBefore` can live any more then, and the mark is forgotten.',
  }),
});

const momentOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

const viewOf = ({ tenantId: _tenantId, sequence, notBefore, until, ...mark }: StoredRevocation) => ({
  ...mark,
  number: sequence,
  notBefore: momentOf(notBefore),
  until: momentOf(until),
});

const registerReads = (app: FastifyInstance, { store }: ApiContext): void => {
  app.get(LIST, {
    config: { access: 'read' },
    schema: {
      summary: 'List revocations, newest first',
      description: 'From every channel. Kept until nothing that they end could still live.',
      tags: TAGS,
      params: TenantParams,
      querystring: pageQuery({}),
      response: pageResponses(View),
    },
    handler: async (request, reply) => {
      const { tenant } = paramsOf(request);
      const query = request.query as { readonly before?: number; readonly limit: number };
      const load = (limit: number) => store.listRevocations(tenant, { ...query, limit });
      const page = await pageByNumber(query.limit, load, ({ sequence }) => sequence);
      linkNext(reply, page);
      return { items: page.items.map(viewOf) };
    },
  });
  app.get(`${LIST}/:id`, {
    config: { access: 'read' },
    schema: {
      summary: 'Read one revocation',
      tags: TAGS,
      params: ItemParams,
      response: { 200: View, ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { tenant, id } = paramsOf(request);
      const found = await store.findRevocation(tenant, id);
      return found === undefined ? sendProblem(reply, noSuchResource) : viewOf(found);
    },
  });
};

const RevocationBody = Type.Object(
  {
    target: RevocationTargetSchema,
    notBefore: Type.Optional(
      Type.String({
        ...SentMoment,
        description: 'RFC 3339 in UTC; absent: now. Not more than five minutes ahead.',
      }),
    ),
    reason: Reason,
  },
  { additionalProperties: false },
);

type Sent = { readonly target: RevocationTarget; readonly notBefore?: string };

const at = (pointer: string, message: string): Problem => ({
  status: 422,
  code: 'invalid-resource',
  detail: 'The revocation would end nothing.',
  errors: [{ pointer, message }],
});

const problemOf = (fault: RevocationFault): Problem => {
  switch (fault) {
    case 'tenant-unknown':
      return noSuchResource;
    // A slip in an emergency must not look like success.
    case 'issuer-unknown':
      return at('/target/issuerId', 'is no issuer of this tenant');
    case 'directory-unknown':
      return at('/target/tid', 'is no directory that an issuer of this tenant accepts');
    case 'not-before-ahead':
      return at('/notBefore', 'lies ahead: to keep somebody out there are kill switches');
    case 'ended':
      return at('/notBefore', 'is so long ago that nothing from before it can still live');
    case 'full':
      return {
        status: 409,
        code: 'conflict',
        detail: 'The tenant has as many revocations as it may. A kill switch stops everybody at once.',
      };
  }
};

/**
 * Whole seconds are all that tokens know. The next one is taken: a token of the present second may be from before. The
 * price is that who signs in within this second is asked once more.
 */
const secondsOf = (ms: number): number => Math.ceil(ms / 1000);

const revoke = async (context: ApiContext, reply: FastifyReply): Promise<FastifyReply> => {
  const { request } = reply;
  const { tenant: tenantId } = paramsOf(request);
  const { target, notBefore } = request.body as Sent;
  const sentMs = notBefore === undefined ? context.nowMs() : Date.parse(notBefore);
  if (Number.isNaN(sentMs)) return sendProblem(reply, at('/notBefore', 'is no moment of the calendar'));
  const recorded = await context.recordRevocation({
    tenantId,
    target,
    notBefore: secondsOf(sentMs),
    source: 'operator',
    reason: recordOf(context, request, '').reason,
    actor: callerOf(request).principal,
    ...keyOf(request),
  });
  if (!recorded.ok) {
    context.onWrite('refused');
    return sendProblem(reply, problemOf(recorded.error));
  }
  const { stored, changed } = recorded.value;
  context.onWrite(changed ? 'committed' : 'unchanged');
  return reply.code(changed ? 201 : 200).send(viewOf(stored));
};

export const registerRevocations = (app: FastifyInstance, context: ApiContext): void => {
  registerReads(app, context);
  app.post(LIST, {
    config: { access: 'operate', reasonInBody: true, keyed: true },
    schema: {
      summary: 'End what somebody holds: tokens and sessions that began before a moment',
      description:
        'They are refused everywhere within a second, streams they opened are ended, and tokens that were had with them are forgotten. Signing in anew works at once; to keep somebody out there are kill switches. It cannot be undone.',
      tags: TAGS,
      params: TenantParams,
      headers: Type.Object({ ...ActionHeaders.properties, ...IdempotencyHeader }),
      body: RevocationBody,
      response: {
        200: answerOf(View, REPLAYED, 'A revocation of this target says as much already'),
        201: answerOf(View, REPLAYED, 'Recorded, and on its way to every service'),
        ...PROBLEM_RESPONSES,
      },
    },
    handler: async (_request, reply) => revoke(context, reply),
  });
};
