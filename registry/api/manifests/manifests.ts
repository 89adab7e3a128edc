// /v1/tenants/{tenant}/manifests: where publishers send signed manifests, and where everybody else reads them.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '#registry/api/context.ts';
import { admitKeyed, IdempotencyHeader } from '#registry/api/idempotency.ts';
import {
  dryRunView,
  FindingSchema,
  ManifestBody,
  ManifestDryRunSchema,
  shownFindings,
} from '#registry/api/manifests/dry-run.ts';
import {
  examineManifest,
  type ManifestRequest,
  publisherName,
  publishManifest,
} from '#registry/api/manifests/publish-manifest.ts';
import { problemFromManifest } from '#registry/api/manifests/refusal-problem.ts';
import { linkNext, pageByNumber } from '#registry/api/paging.ts';
import { noSuchResource, type Problem } from '#registry/api/problem.ts';
import { keyOf, paramsOf, sendProblem } from '#registry/api/request-facts.ts';
import { answerOf, pageResponses, REPLAYED } from '#registry/api/response-schema.ts';
import { PROBLEM_RESPONSES, pageQuery, TenantParams } from '#registry/api/route-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';
import { warningsOf } from '#registry/manifest/lint/lint.ts';
import { MAX_MANIFEST_BYTES } from '#registry/manifest/parse-manifest.ts';
import { SIGNATURE_HEADER } from '#registry/manifest/refusal.ts';
import type { ManifestSummary, ManifestsPage } from '#registry/store/store.ts';
import { createRateLimit } from '#runtime/rate-limit.ts';

/** A release pipeline with hundreds of servers passes; whoever guesses does not get far. */
const ATTEMPTS = { burst: 300, perSecond: 5 };

const SUMMARY = {
  server: Id,
  version: Type.String(),
  digest: Type.String({ description: 'SHA-256 of the bytes, hex' }),
  publisher: Id,
  kid: Type.String(),
  at: Type.String({ format: 'date-time' }),
};

const PublishedSchema = Type.Object({ ...SUMMARY, warnings: Type.Array(FindingSchema) });

const LOCATION = {
  ...REPLAYED,
  Location: { type: 'string', description: 'Path of the version; absent from a dry run.' },
} as const;

const SIGNATURE = {
  'X-JWS-Signature': { type: 'string', description: 'The signature the manifest came with.' },
} as const;

const requestOf = (request: FastifyRequest): ManifestRequest => {
  const signature = request.headers[SIGNATURE_HEADER];
  return {
    tenantId: paramsOf(request).tenant,
    bytes: request.body as Buffer,
    signature: typeof signature === 'string' ? signature : undefined,
    certificate: request.clientCertificate ?? undefined,
  };
};

const summaryView = ({
  serverId,
  publisherId,
  version,
  digest,
  kid,
  at,
}: Omit<ManifestSummary, 'number'>) => ({
  server: serverId,
  version,
  digest,
  publisher: publisherId,
  kid,
  at,
});

const refuse = (context: ApiContext, reply: FastifyReply, problem: Problem): FastifyReply => {
  const { tenant } = paramsOf(reply.request);
  context.logger.info({ tenant, code: problem.code }, 'manifest refused');
  return sendProblem(reply, problem);
};

const submit = async (context: ApiContext, reply: FastifyReply): Promise<FastifyReply> => {
  const request = requestOf(reply.request);
  const stored = await context.store.findTenant(request.tenantId);
  const examined = await examineManifest(context, request, stored);
  if (!examined.ok) {
    context.onWrite('refused');
    return refuse(context, reply, problemFromManifest(examined.error));
  }
  const { dryRun } = reply.request.query as { readonly dryRun: 'true' | 'false' };
  if (dryRun === 'true')
    return reply.code(200).send(dryRunView(examined.value.authenticated, examined.value.judgement));
  const admitted = await admitKeyed(context, reply, publisherName(examined.value));
  if (admitted !== undefined) return admitted;
  const published = await publishManifest(context, { ...request, ...keyOf(reply.request) }, examined.value);
  if (!published.ok) return refuse(context, reply, published.error);
  const { publication, isNew } = published.value;
  const { serverId, version } = publication;
  return reply
    .code(isNew ? 201 : 200)
    .header('location', `/v1/tenants/${request.tenantId}/servers/${serverId}/versions/${version}`)
    .send({
      ...summaryView(publication),
      warnings: shownFindings(warningsOf(examined.value.judgement.findings)),
    });
};

/** The route that takes manifests; both doors have it. */
export const registerSubmission = (app: FastifyInstance, context: ApiContext): void => {
  const limit = createRateLimit(ATTEMPTS);
  app.post('/v1/tenants/:tenant/manifests', {
    config: { access: 'open', rawBody: true, keyed: true },
    bodyLimit: MAX_MANIFEST_BYTES,
    schema: {
      summary: 'Publish a version of a server by a signed manifest',
      description:
        'The signature is the credential: no token is needed. The version serves nothing until it is approved and activated. `dryRun=true` answers with what the lint says and uses up nothing.',
      tags: ['manifests'],
      security: [],
      params: TenantParams,
      querystring: Type.Object(
        { dryRun: Type.Optional(Type.Enum(['true', 'false'], { default: 'false' })) },
        { additionalProperties: false },
      ),
      headers: Type.Object({
        ...IdempotencyHeader,
        [SIGNATURE_HEADER]: Type.Optional(
          Type.String({
            description:
              '`<protected>..<signature>`: JWS with detached, unencoded payload (RFC 7515, RFC 7797). Required.',
          }),
        ),
      }),
      consumes: ['application/json', 'application/octet-stream'],
      body: ManifestBody,
      response: {
        200: answerOf(Type.Union([ManifestDryRunSchema, PublishedSchema]), LOCATION),
        201: answerOf(PublishedSchema, LOCATION, 'Published'),
        ...PROBLEM_RESPONSES,
      },
    },
    onRequest: async (request, reply) => {
      const waitSeconds = limit.take(request.ip, context.nowMs());
      if (waitSeconds === 0) return undefined;
      return sendProblem(reply, {
        status: 429,
        code: 'too-many-requests',
        detail: 'Too many manifests from this address.',
        headers: { 'retry-after': String(waitSeconds) },
      });
    },
    handler: async (_request, reply) => submit(context, reply),
  });
};

const DigestParams = Type.Object({ tenant: Id, digest: Type.String({ pattern: '^[0-9a-f]{64}$' }) });

const registerReads = (app: FastifyInstance, { store }: ApiContext): void => {
  app.get('/v1/tenants/:tenant/manifests', {
    config: { access: 'read-servers' },
    schema: {
      summary: 'List the manifests that were published, newest first',
      tags: ['manifests'],
      params: TenantParams,
      querystring: pageQuery({ serverId: Type.Optional(Id) }),
      response: pageResponses(Type.Object({ number: Type.Integer(), ...SUMMARY })),
    },
    handler: async (request, reply) => {
      const { tenant } = paramsOf(request);
      const query = request.query as ManifestsPage;
      const load = (limit: number) => store.listManifests(tenant, { ...query, limit });
      const page = await pageByNumber(query.limit, load, ({ number }) => number);
      linkNext(reply, page);
      return { items: page.items.map((summary) => ({ number: summary.number, ...summaryView(summary) })) };
    },
  });
  app.get('/v1/tenants/:tenant/manifests/:digest', {
    config: { access: 'read-servers' },
    schema: {
      summary: 'Read a manifest byte for byte, with its signature in X-JWS-Signature',
      tags: ['manifests'],
      params: DigestParams,
      response: { 200: answerOf(ManifestBody, SIGNATURE), ...PROBLEM_RESPONSES },
    },
    handler: async (request, reply) => {
      const { tenant, digest } = request.params as { readonly tenant: string; readonly digest: string };
      const found = await store.findManifest(tenant, digest);
      if (found === undefined) return sendProblem(reply, noSuchResource);
      return reply
        .header(SIGNATURE_HEADER, found.signature)
        .type('application/json')
        .send(Buffer.from(found.bytes));
    },
  });
};

export const registerManifests = (app: FastifyInstance, context: ApiContext): void => {
  registerReads(app, context);
  registerSubmission(app, context);
};
