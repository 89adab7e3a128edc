// POST …/versions/{version}/approve and …/reject: a decision about what was seen, committed with its audit record if
// nothing it rests on has moved.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { JsonObject } from '#core/json.ts';
import { err, ok, type Result } from '#core/result.ts';
import { type LoadedReview, loadReview } from '#registry/api/approvals/load-reviews.ts';
import {
  approversOf,
  DECISION_REFUSED,
  ReviewSchema,
  reviewView,
} from '#registry/api/approvals/review-schema.ts';
import { VersionParams } from '#registry/api/approvals/reviews.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { IdempotencyHeader } from '#registry/api/idempotency.ts';
import { noSuchResource, type Problem } from '#registry/api/problem.ts';
import { paramsOf, recordOf, sendProblem } from '#registry/api/request-facts.ts';
import { answerOf, REPLAYED } from '#registry/api/response-schema.ts';
import { ActionHeaders, PROBLEM_RESPONSES, Reason } from '#registry/api/route-schema.ts';
import { type DecisionRefusal, decide } from '#registry/approval/decide.ts';
import { isServed } from '#registry/approval/serve.ts';
import { versionName } from '#registry/commands/resources.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import type { StoredTenant } from '#registry/store/store.ts';

/** Lost races before the client is told. */
const MAX_ATTEMPTS = 5;

const DecisionBody = Type.Object(
  {
    digest: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Of the review that was read.' }),
    reason: Reason,
  },
  { additionalProperties: false },
);

type Seen = LoadedReview & { readonly stored: StoredTenant };

type Answer = Pick<Problem, 'status' | 'detail'> & { readonly pointer: string; readonly message: string };

const ANSWERS: Readonly<Record<DecisionRefusal, Answer>> = {
  'approval-digest-mismatch': {
    status: 409,
    detail: 'What was seen has changed since. Read the review in this answer.',
    pointer: '/digest',
    message: 'is not the digest of the review as it stands now',
  },
  'approver-is-author': {
    status: 403,
    detail: 'Four eyes are asked for, and this version is your own.',
    pointer: '',
    message: 'you published this version, or registered the key it is signed with',
  },
  'author-unknown': {
    status: 409,
    detail: 'Four eyes are asked for, and nobody knows whose version this is.',
    pointer: '',
    message: 'publish it again under another name',
  },
  'version-in-service': {
    status: 409,
    detail: 'The version is being served. Activate another one, or switch the server off.',
    pointer: '',
    message: 'a rejection would not end its service',
  },
};

const problemFrom = (code: DecisionRefusal, { stored, review }: Seen): Problem => {
  const { status, detail, pointer, message } = ANSWERS[code];
  const details: JsonObject =
    code === 'approval-digest-mismatch'
      ? { review: reviewView(stored.tenant, review) as unknown as JsonObject }
      : { approvers: approversOf(stored.tenant.id, review) };
  return { status, code, detail, errors: [{ pointer, message }], details };
};

const BUSY: Problem = {
  status: 412,
  code: 'precondition-failed',
  detail: 'The tenant is being changed by others at this moment. Try again.',
};

type Request = {
  readonly tenantId: string;
  readonly serverId: string;
  readonly version: string;
  readonly verdict: 'approved' | 'rejected';
  readonly digest: string;
  readonly record: ChangeRecord;
};

const see = async ({ store }: ApiContext, request: Request): Promise<Seen | undefined> => {
  const stored = await store.findTenant(request.tenantId);
  const loaded = stored === undefined ? undefined : await loadReview(store, stored.tenant, request);
  return stored === undefined || loaded === undefined ? undefined : { ...loaded, stored };
};

const attempt = async (
  context: ApiContext,
  request: Request,
): Promise<Result<boolean, Problem | 'stale'>> => {
  const seen = await see(context, request);
  if (seen === undefined) return err(noSuchResource);
  const { stored, review, mark } = seen;
  const { verdict, digest, record } = request;
  const asked = { verdict, digest, isServed: isServed(stored.tenant, review.serverId, review.version) };
  const judged = decide(review, asked, record);
  if (!judged.ok) return err(problemFrom(judged.error, seen));
  if (judged.value === undefined) return ok(false);
  const decisions = { mark, made: [judged.value] };
  const written = await context.store.decide({ before: stored, decisions, record });
  return written.ok ? ok(true) : err('stale');
};

const tryOften = async (context: ApiContext, request: Request): Promise<Result<boolean, Problem>> => {
  for (let tries = 0; tries < MAX_ATTEMPTS; tries += 1) {
    const result = await attempt(context, request);
    if (result.ok) return result;
    if (result.error !== 'stale') return err(result.error);
  }
  return err(BUSY);
};

const ACTIONS = { approve: 'approved', reject: 'rejected' } as const;

const handle = async (
  context: ApiContext,
  reply: FastifyReply,
  action: keyof typeof ACTIONS,
): Promise<FastifyReply> => {
  const { tenant: tenantId, id: serverId, version } = paramsOf(reply.request);
  const { digest } = reply.request.body as { readonly digest: string };
  // What was seen belongs into the audit: the decision is about that and nothing else.
  const record = recordOf(
    context,
    reply.request,
    `${action} ${versionName(serverId, version)} sha256:${digest}`,
  );
  const request = { tenantId, serverId, version, verdict: ACTIONS[action], digest, record };
  const result = await tryOften(context, request).catch((thrown: unknown) => {
    context.onWrite('failed');
    throw thrown;
  });
  if (!result.ok) {
    context.onWrite('refused');
    return sendProblem(reply, result.error);
  }
  context.onWrite(result.value ? 'committed' : 'unchanged');
  const now = await see(context, request);
  return now === undefined
    ? sendProblem(reply, noSuchResource)
    : reply.code(200).send(reviewView(now.stored.tenant, now.review));
};

const SUMMARIES = {
  approve: 'Approve a version: what it serves becomes what later versions are compared with',
  reject: 'Reject a version: it cannot be put into service',
} as const;

export const registerDecisions = (app: FastifyInstance, context: ApiContext): void => {
  for (const action of ['approve', 'reject'] as const)
    app.post(`/v1/tenants/:tenant/servers/:id/versions/:version/${action}`, {
      config: { access: 'write', reasonInBody: true, keyed: true },
      schema: {
        summary: SUMMARIES[action],
        description:
          'About the review whose digest is sent: if anything it rests on has moved, 409 `approval-digest-mismatch` brings the review as it is now. The same decision sent twice is one.',
        tags: ['approvals'],
        params: VersionParams,
        headers: Type.Object({ ...ActionHeaders.properties, ...IdempotencyHeader }),
        body: DecisionBody,
        response: {
          200: answerOf(ReviewSchema, REPLAYED),
          ...DECISION_REFUSED,
          ...PROBLEM_RESPONSES,
        },
      },
      handler: async (_request, reply) => handle(context, reply, action),
    });
};
