// What would come of a manifest: told to its publisher, whose signature proves him, and, without any signature, to whoever
// holds a role that writes manifests. Publishes nothing and uses up nothing.

import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { ApiContext } from '#registry/api/context.ts';
import { problemFromManifest } from '#registry/api/manifests/refusal-problem.ts';
import { noSuchResource } from '#registry/api/problem.ts';
import { paramsOf, sendProblem } from '#registry/api/request-facts.ts';
import { answerOf } from '#registry/api/response-schema.ts';
import { PROBLEM_RESPONSES, TenantParams } from '#registry/api/route-schema.ts';
import { Id } from '#registry/feed/schema/words.ts';
import { digestOf, type Judgement, judgeManifest } from '#registry/manifest/judge-manifest.ts';
import type { Finding } from '#registry/manifest/lint/finding.ts';
import { errorsOf, warningsOf } from '#registry/manifest/lint/lint.ts';
import { MAX_MANIFEST_BYTES, parseManifest } from '#registry/manifest/parse-manifest.ts';
import type { Manifest } from '#registry/manifest/schema/manifest-2.ts';

export const FindingSchema = Type.Object({
  code: Type.String(),
  pointer: Type.String({ description: 'JSON Pointer into the manifest as it was sent' }),
  message: Type.String(),
});

export const ManifestDryRunSchema = Type.Object({
  server: Id,
  version: Type.String(),
  digest: Type.String(),
  accepted: Type.Boolean({ description: 'Whether it would be published' }),
  errors: Type.Array(FindingSchema),
  warnings: Type.Array(FindingSchema),
});

export const ManifestBody = Type.Unsafe<object>({
  type: 'object',
  description:
    'The manifest, byte for byte as it was signed: docs/schemas/manifest-2.json or docs/schemas/manifest-1.json.',
});

/** Findings as clients see them. */
export const shownFindings = (findings: readonly Finding[]) =>
  findings.map(({ code, pointer, message }) => ({ code, pointer, message }));

/** A judged manifest as a dry run tells it. */
export const dryRunView = (
  { manifest, digest }: { readonly manifest: Manifest; readonly digest: string },
  { findings, refusals }: Judgement,
) => {
  const others = refusals
    .filter(({ code }) => code !== 'manifest-lint-failed')
    .flatMap(({ code, faults }) => faults.map(({ pointer, message }) => ({ code, pointer, message })));
  return {
    server: manifest.server,
    version: manifest.version,
    digest,
    accepted: refusals.length === 0,
    errors: [...others, ...shownFindings(errorsOf(findings))],
    warnings: shownFindings(warningsOf(findings)),
  };
};

const judgeUnsigned = async (context: ApiContext, reply: FastifyReply): Promise<FastifyReply> => {
  const { tenant: tenantId } = paramsOf(reply.request);
  const bytes = reply.request.body as Buffer;
  const stored = await context.store.findTenant(tenantId);
  if (stored === undefined) return sendProblem(reply, noSuchResource);
  const parsed = parseManifest(bytes);
  if (!parsed.ok) return sendProblem(reply, problemFromManifest(parsed.error));
  const { server: serverId, version } = parsed.value.manifest;
  const published = await context.store.findPublished(tenantId, { serverId, version });
  const judged = { ...parsed.value, digest: digestOf(bytes) };
  const judgement = judgeManifest(judged, {
    tenant: stored.tenant,
    facts: { ...published, isReplay: false },
    checkUrl: context.checkUrl,
  });
  return reply.code(200).send(dryRunView(judged, judgement));
};

export const registerManifestDryRun = (app: FastifyInstance, context: ApiContext): void => {
  app.post('/v1/tenants/:tenant/manifests/dry-run', {
    config: { access: 'dry-run', rawBody: true },
    bodyLimit: MAX_MANIFEST_BYTES,
    schema: {
      summary: 'Try a manifest that nobody has signed yet',
      description:
        'What publishing it would answer, but for its signature and the servers its publisher is bound to. Publishes nothing.',
      tags: ['manifests'],
      params: TenantParams,
      consumes: ['application/json', 'application/octet-stream'],
      body: ManifestBody,
      response: { 200: answerOf(ManifestDryRunSchema, {}), ...PROBLEM_RESPONSES },
    },
    handler: async (_request, reply) => judgeUnsigned(context, reply),
  });
};
