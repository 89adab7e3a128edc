// /v1/tenants/{tenant}/policy-bundles: where bundles are uploaded, and read again. One that is kept judges nobody before
// the tenant's policy names it.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '#registry/api/context.ts';
import { IdempotencyHeader } from '#registry/api/idempotency.ts';
import { linkNext, pageByNumber } from '#registry/api/paging.ts';
import { createExamination, type ExamineBundle } from '#registry/api/policies/examine-bundle.ts';
import { noSuchResource, type Problem } from '#registry/api/problem.ts';
import { paramsOf, recordOf, sendProblem } from '#registry/api/request-facts.ts';
import { answerOf, pageResponses, REPLAYED, removalResponses } from '#registry/api/response-schema.ts';
import { PROBLEM_RESPONSES, pageQuery, TenantParams, WriteHeaders } from '#registry/api/route-schema.ts';
import { BundleDigest } from '#registry/feed/schema/policy-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';
import type { PolicyBundleSummary } from '#registry/store/policy-bundle.ts';
import type { Page } from '#registry/store/store.ts';
import { MAX_BUNDLE_BYTES } from '#runtime/policy/archive.ts';
import { digestOfBundle } from '#runtime/policy/bundle.ts';

const PATH = '/v1/tenants/:tenant/policy-bundles';

const MEDIA_TYPE = 'application/gzip';

const DigestParams = Type.Object({ tenant: Id, digest: BundleDigest });

const { 'x-change-reason': ChangeReason } = WriteHeaders.properties;
const ReasonHeader = Type.Object({ 'x-change-reason': ChangeReason });

const BundleSchema = Type.Object({
  digest: BundleDigest,
  revision: Type.String({ description: '`opa build --revision`; may be empty.' }),
  size: Type.Integer({ description: 'Bytes.' }),
  signedBy: Type.Optional(Type.String({ description: 'Thumbprint (RFC 7638) of the key that signed it.' })),
  kid: Type.Optional(Type.String({ description: 'What that key was called at the upload.' })),
  at: Type.String({ format: 'date-time' }),
});

const Archive = Type.Unsafe<object>({ description: 'What `opa build -t wasm` wrote: a gzipped tar.' });

const FULL: Problem = {
  status: 409,
  code: 'conflict',
  detail: 'The tenant has as many bundles as it may: remove some that no revision worth going back to names.',
};

const IN_SERVICE: Problem = {
  status: 409,
  code: 'conflict',
  detail: "The tenant's policy names this bundle.",
};

const digestIn = (reply: FastifyReply): string =>
  (reply.request.params as { readonly digest: string }).digest;

const viewOf = ({ number: _number, ...summary }: PolicyBundleSummary) => summary;

const upload = async (
  context: ApiContext,
  reply: FastifyReply,
  examine: ExamineBundle,
): Promise<FastifyReply> => {
  const { request } = reply;
  const { tenant: tenantId } = paramsOf(request);
  // Without a body there is none; an archive it is not either way.
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const stored = await context.store.findTenant(tenantId);
  if (stored === undefined) return sendProblem(reply, noSuchResource);
  const known = await context.store.findPolicyBundle(tenantId, digestOfBundle(bytes));
  if (known !== undefined) {
    const { bytes: _bytes, ...summary } = known;
    return reply.code(200).send(viewOf(summary));
  }
  const examined = await examine(bytes, { tenant: stored.tenant, nowMs: context.nowMs() });
  if (!examined.ok) return sendProblem(reply, examined.error);
  const { bytes: _bytes, ...summary } = examined.value;
  const record = recordOf(context, request, `upload policy-bundles/${summary.digest}`);
  const kept = await context.store.keepPolicyBundle({ tenantId, bundle: examined.value, record });
  return kept.ok ? reply.code(201).send(summary) : sendProblem(reply, FULL);
};

const remove = async (context: ApiContext, reply: FastifyReply): Promise<FastifyReply> => {
  const { tenant: tenantId } = paramsOf(reply.request);
  const digest = digestIn(reply);
  const record = recordOf(context, reply.request, `remove policy-bundles/${digest}`);
  const removed = await context.store.forgetPolicyBundle({ tenantId, digest, record });
  if (removed.ok) return reply.code(204).send();
  return sendProblem(reply, removed.error === 'in-service' ? IN_SERVICE : noSuchResource);
};

const registerUpload = (app: FastifyInstance, context: ApiContext): void => {
  const examine = createExamination();
  app.post(PATH, {
    config: { access: 'write', rawBody: true, keyed: true },
    bodyLimit: MAX_BUNDLE_BYTES,
    schema: {
      summary: "Upload a bundle for the tenant's policy",
      description:
        'It is opened, its signature verified, and the policy tried in a thread of its own. A kept bundle judges nobody before the policy names it. 200: these bytes are kept already.',
      tags: ['policy'],
      params: TenantParams,
      headers: Type.Object({ ...ReasonHeader.properties, ...IdempotencyHeader }),
      consumes: [MEDIA_TYPE, 'application/octet-stream'],
      body: Archive,
      response: {
        200: answerOf(BundleSchema, REPLAYED),
        201: answerOf(BundleSchema, REPLAYED, 'Kept'),
        ...PROBLEM_RESPONSES,
      },
    },
    handler: async (_request, reply) => upload(context, reply, examine),
  });
};

const registerReads = (app: FastifyInstance, { store }: ApiContext): void => {
  app.get(PATH, {
    config: { access: 'read' },
    schema: {
      summary: 'List the bundles that were uploaded, newest first',
      tags: ['policy'],
      params: TenantParams,
      querystring: pageQuery({}),
      response: pageResponses(Type.Object({ number: Type.Integer(), ...BundleSchema.properties })),
    },
    handler: async (request, reply) => {
      const { tenant } = paramsOf(request);
      const query = request.query as Page;
      const load = (limit: number) => store.listPolicyBundles(tenant, { ...query, limit });
      const page = await pageByNumber(query.limit, load, ({ number }) => number);
      linkNext(reply, page);
      return { items: page.items };
    },
  });
  app.get(`${PATH}/:digest`, {
    config: { access: 'read' },
    schema: {
      summary: 'Read a bundle byte for byte as it was uploaded',
      tags: ['policy'],
      params: DigestParams,
      response: {
        200: { description: 'The bundle', content: { [MEDIA_TYPE]: { schema: Archive } } },
        ...PROBLEM_RESPONSES,
      },
    },
    handler: async (request, reply) => {
      const found = await store.findPolicyBundle(paramsOf(request).tenant, digestIn(reply));
      if (found === undefined) return sendProblem(reply, noSuchResource);
      return reply.type(MEDIA_TYPE).send(Buffer.from(found.bytes));
    },
  });
};

export const registerPolicyBundles = (app: FastifyInstance, context: ApiContext): void => {
  registerReads(app, context);
  registerUpload(app, context);
  app.delete(`${PATH}/:digest`, {
    config: { access: 'write' },
    schema: {
      summary: 'Remove a bundle that the policy does not name',
      description: 'A revision that names it cannot be restored any more.',
      tags: ['policy'],
      params: DigestParams,
      headers: ReasonHeader,
      response: removalResponses,
    },
    handler: async (_request, reply) => remove(context, reply),
  });
};
