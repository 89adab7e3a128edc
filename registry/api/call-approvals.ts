// /v1/tenants/{tenant}/call-approvals: calls that a rule holds back until a person has looked at them. What is shown is
// what will run: parameters and digest are those the approval is bound to.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { isSamePerson } from '#core/same-person.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { IdempotencyHeader } from '#registry/api/idempotency.ts';
import { linkNext, pageByNumber } from '#registry/api/paging.ts';
import { noSuchResource, type Problem } from '#registry/api/problem.ts';
import { callerOf, paramsOf, recordOf, sendProblem } from '#registry/api/request-facts.ts';
import { answerOf, pageResponses, REPLAYED } from '#registry/api/response-schema.ts';
import {
  ActionHeaders,
  ItemParams,
  PROBLEM_RESPONSES,
  pageQuery,
  Reason,
  TenantParams,
} from '#registry/api/route-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';
import {
  CALL_APPROVAL_STATES,
  type CallApproval,
  type CallApprovalsPage,
} from '#registry/store/call-approval.ts';

const LIST = '/v1/tenants/:tenant/call-approvals';
const TAGS = ['call approvals'];
const Moment = Type.String({ format: 'date-time' });
const State = Type.Enum([...CALL_APPROVAL_STATES]);

const View = Type.Object({
  number: Type.Integer(),
  id: Id,
  state: State,
  digest: Type.String({ description: 'SHA-256 of everything the approval is about, hex.' }),
  serverId: Id,
  version: Type.String(),
  method: Type.String(),
  targets: Type.Array(Type.String(), { description: 'The tool, prompt or resource.' }),
  params: Type.Unsafe<object>({
    type: 'object',
    description: 'What the call carries, without `_meta`: exactly this is what would run.',
  }),
  principal: Type.String({ description: 'Who calls.' }),
  callerName: Type.Optional(Type.String({ description: 'As the token has it; for reading only.' })),
  application: Type.Optional(Type.String()),
  rules: Type.Array(Type.String(), { description: 'What demands the approval.' }),
  askedAt: Moment,
  expiresAt: Moment,
  decision: Type.Optional(Type.Object({ actor: Type.String(), reason: Type.String(), at: Moment })),
});

const viewOf = ({ question, askedAtMs, expiresAtMs, decision, ...approval }: CallApproval) => {
  const { tenantId: _tenantId, ...asked } = question;
  return {
    ...approval,
    ...asked,
    askedAt: new Date(askedAtMs).toISOString(),
    expiresAt: new Date(expiresAtMs).toISOString(),
    ...(decision === undefined
      ? {}
      : {
          decision: {
            actor: decision.actor,
            reason: decision.reason,
            at: new Date(decision.atMs).toISOString(),
          },
        }),
  };
};

const find = ({ store, nowMs }: ApiContext, reply: FastifyReply): Promise<CallApproval | undefined> => {
  const { tenant: tenantId, id } = paramsOf(reply.request);
  return store.findCallApproval({ tenantId, id, nowMs: nowMs() });
};

const registerReads = (app: FastifyInstance, context: ApiContext): void => {
  app.get(LIST, {
    config: { access: 'read-calls' },
    schema: {
      summary: 'List calls that wait for a person, or did, newest first',
      description: 'Kept for a day after their end.',
      tags: TAGS,
      params: TenantParams,
      querystring: pageQuery({ state: Type.Optional(State), serverId: Type.Optional(Id) }),
      response: pageResponses(View),
    },
    handler: async (request, reply) => {
      const { tenant } = paramsOf(request);
      const query = request.query as CallApprovalsPage;
      const load = (limit: number) =>
        context.store.listCallApprovals(tenant, { page: { ...query, limit }, nowMs: context.nowMs() });
      const page = await pageByNumber(query.limit, load, ({ number }) => number);
      linkNext(reply, page);
      return { items: page.items.map(viewOf) };
    },
  });
  app.get(`${LIST}/:id`, {
    config: { access: 'read-calls' },
    schema: {
      summary: 'Read one call that waits for a person, or did',
      tags: TAGS,
      params: ItemParams,
      response: { 200: View, ...PROBLEM_RESPONSES },
    },
    handler: async (_request, reply) => {
      const found = await find(context, reply);
      return found === undefined ? sendProblem(reply, noSuchResource) : viewOf(found);
    },
  });
};

const VerdictBody = Type.Object(
  {
    digest: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Of the call that was read.' }),
    reason: Reason,
  },
  { additionalProperties: false },
);

const notPending = (found: CallApproval): Problem => ({
  status: 409,
  code: 'approval-not-pending',
  detail: `This call does not wait for anybody any more: it is ${found.state}.`,
});

const OTHER_CALL: Problem = {
  status: 409,
  code: 'approval-digest-mismatch',
  detail: 'This is the digest of another call. Read the call again.',
  errors: [{ pointer: '/digest', message: 'is not the digest of this call' }],
};

const OWN_CALL: Problem = {
  status: 403,
  code: 'approver-is-caller',
  detail: 'Four eyes are asked for, and this call is your own.',
};

const VERDICTS = { grant: 'granted', refuse: 'refused' } as const;

/** What stands against a verdict before it is tried; whether the call still waits is settled by the commit. */
const objection = async (
  { store }: ApiContext,
  reply: FastifyReply,
  { found, action }: { readonly found: CallApproval; readonly action: keyof typeof VERDICTS },
): Promise<Problem | undefined> => {
  const { digest } = reply.request.body as { readonly digest: string };
  if (digest !== found.digest) return OTHER_CALL;
  const isOwn = isSamePerson(found.question.principal, callerOf(reply.request).principal);
  if (!isOwn || action !== 'grant') return undefined;
  const stored = await store.findTenant(found.question.tenantId);
  return stored?.tenant.fourEyes === false ? undefined : OWN_CALL;
};

const judge = async (
  context: ApiContext,
  reply: FastifyReply,
  action: keyof typeof VERDICTS,
): Promise<FastifyReply> => {
  const found = await find(context, reply);
  if (found === undefined) return sendProblem(reply, noSuchResource);
  const against = await objection(context, reply, { found, action });
  if (against !== undefined) return sendProblem(reply, against);
  const { tenantId } = found.question;
  const record = recordOf(
    context,
    reply.request,
    `${action} call-approvals/${found.id} sha256:${found.digest}`,
  );
  const verdict = { tenantId, id: found.id, verdict: VERDICTS[action], record, nowMs: context.nowMs() };
  const decided = await context.store.decideApproval(verdict);
  const now = (await find(context, reply)) ?? found;
  context.onWrite(decided.ok ? 'committed' : 'refused');
  return decided.ok ? reply.code(200).send(viewOf(now)) : sendProblem(reply, notPending(now));
};

const SUMMARIES = {
  grant: 'Let one call go on: that caller, that tool, exactly these parameters, once',
  refuse: 'Refuse one call: the same call stays refused until the question expires',
} as const;

const registerVerdicts = (app: FastifyInstance, context: ApiContext): void => {
  for (const action of ['grant', 'refuse'] as const)
    app.post(`${LIST}/:id/${action}`, {
      config: { access: 'decide-calls', reasonInBody: true, keyed: true },
      schema: {
        summary: SUMMARIES[action],
        tags: TAGS,
        params: ItemParams,
        headers: Type.Object({ ...ActionHeaders.properties, ...IdempotencyHeader }),
        body: VerdictBody,
        response: { 200: answerOf(View, REPLAYED), ...PROBLEM_RESPONSES },
      },
      handler: async (_request, reply) => judge(context, reply, action),
    });
};

export const registerCallApprovals = (app: FastifyInstance, context: ApiContext): void => {
  registerReads(app, context);
  registerVerdicts(app, context);
};
