// From a signed manifest to a version that serves nothing yet. The signature is judged against the tenant that the
// change is made from: a key that was withdrawn a moment ago publishes nothing more.

import { err, ok, type Result } from '#core/result.ts';
import type { Tenant } from '#core/tenant.ts';
import { changeTenant } from '#registry/api/change-tenant.ts';
import type { ApiContext } from '#registry/api/context.ts';
import { problemFromManifest } from '#registry/api/manifests/refusal-problem.ts';
import type { Problem } from '#registry/api/problem.ts';
import { requestsOf } from '#registry/approval/definition.ts';
import { publishVersion } from '#registry/commands/server-version.ts';
import type { ClientCertificate } from '#registry/manifest/client-certificate.ts';
import { judgeCertificate } from '#registry/manifest/judge-certificate.ts';
import {
  type Authenticated,
  authenticateManifest,
  type Judgement,
  judgeManifest,
  type Submission,
  versionOf,
} from '#registry/manifest/judge-manifest.ts';
import { type ManifestRefusal, SIGNATURE_HEADER } from '#registry/manifest/refusal.ts';
import { tenantAudience } from '#registry/manifest/verify-signature.ts';
import type { ChangeRecord } from '#registry/store/change-record.ts';
import type { SignatureId } from '#registry/store/signature-id.ts';
import type { Publication, StoredTenant } from '#registry/store/store.ts';

export type ManifestRequest = Submission &
  Pick<ChangeRecord, 'request'> & {
    readonly tenantId: string;
    /** Of the connection; undefined where it came by the door that asks for none. */
    readonly certificate: ClientCertificate | undefined;
  };

export type Examined = { readonly authenticated: Authenticated; readonly judgement: Judgement };

const signatureId = ({ thumbprint, header, forgetAt }: Authenticated): SignatureId => ({
  thumbprint,
  jti: header.jti,
  forgetAt,
});

const nowSeconds = (context: ApiContext): number => Math.floor(context.nowMs() / 1_000);

/** Everything that can be said about a manifest without publishing it. A stranger learns only that he is one. */
export const examineManifest = async (
  context: ApiContext,
  request: ManifestRequest,
  stored: StoredTenant | undefined,
): Promise<Result<Examined, ManifestRefusal>> => {
  const { tenantId } = request;
  const authenticated = await authenticateManifest(request, {
    // A tenant that does not exist has no keys: it is answered like one that has others.
    publishers: stored?.tenant.publishers ?? [],
    audiences: [tenantAudience(tenantId), context.publicUrl],
    nowSeconds: nowSeconds(context),
  });
  if (!authenticated.ok) return authenticated;
  const { tenant } = stored as StoredTenant;
  const bound = judgeCertificate(tenant, authenticated.value.publisher, request.certificate);
  if (!bound.ok) return bound;
  const { manifest } = authenticated.value;
  const published = await context.store.findPublished(tenantId, {
    serverId: manifest.server,
    version: manifest.version,
  });
  const judgement = judgeManifest(authenticated.value, {
    tenant,
    facts: { ...published, isReplay: await context.store.isSpent(signatureId(authenticated.value)) },
    checkUrl: context.checkUrl,
  });
  return ok({ authenticated: authenticated.value, judgement });
};

const publicationOf = (
  { signature = '', bytes }: ManifestRequest,
  { authenticated }: Examined,
  at: string,
): Publication => {
  const { manifest, publisher, kid, digest } = authenticated;
  const { server: serverId, version } = manifest;
  const id = signatureId(authenticated);
  return { serverId, version, digest, publisherId: publisher.id, kid, at, bytes, signature, id };
};

const aboutSignature = (
  code: 'signature-key-unknown' | 'signature-replayed',
  parameter: string,
  message: string,
): Problem =>
  problemFromManifest({
    code,
    faults: [{ in: 'header', pointer: `/${SIGNATURE_HEADER}/${parameter}`, message }],
  });

const KEY_MOVED = aboutSignature('signature-key-unknown', 'kid', 'the key now belongs to another publisher');
const REPLAYED = aboutSignature('signature-replayed', 'jti', 'was used before');

const judgeAgain =
  (context: ApiContext, request: ManifestRequest, { authenticated }: Examined) =>
  async (stored: StoredTenant | undefined): Promise<Problem | undefined> => {
    const again = await examineManifest(context, request, stored);
    const refusal = again.ok ? again.value.judgement.refusals[0] : again.error;
    if (refusal !== undefined) return problemFromManifest(refusal);
    const isSame = again.ok && again.value.authenticated.publisher.id === authenticated.publisher.id;
    return isSame ? undefined : KEY_MOVED;
  };

/** Who publishes, as records name him. */
export const publisherName = ({ authenticated: { publisher, kid } }: Examined): string =>
  `publisher:${publisher.id}#${kid}`;

export type Published = {
  readonly publication: Publication;
  /** False: these bytes were published before, and nothing changed. */
  readonly isNew: boolean;
};

/** Publishes what was examined; the change is recorded as the publisher's. */
export const publishManifest = async (
  context: ApiContext,
  request: ManifestRequest,
  examined: Examined,
): Promise<Result<Published, Problem>> => {
  const { authenticated } = examined;
  const at = new Date(context.nowMs()).toISOString();
  const publication = publicationOf(request, examined, at);
  const { serverId, version, digest, publisherId, kid, id } = publication;
  const actor = publisherName(examined);
  const requests = requestsOf(authenticated.manifest);
  const result = await changeTenant(context, {
    tenantId: request.tenantId,
    submission: { serverId, version, actor, at, requests, signer: { publisherId, kid } },
    record: {
      actor,
      action: `publish servers/${serverId}/versions/${version}`,
      reason: `signed manifest sha256:${digest}`,
      at,
      ...(request.request === undefined ? {} : { request: request.request }),
    },
    publication,
    judge: judgeAgain(context, request, examined),
    command: (tenant) =>
      publishVersion(
        tenant as Tenant,
        { serverId, version: versionOf(authenticated.manifest) },
        context.checkUrl,
      ),
  });
  if (!result.ok) return result;
  const isNew = result.value.stored !== result.value.before;
  // A commit has used up the signature; where nothing was to be committed it is used up all the same.
  if (isNew || (await context.store.spend(id, nowSeconds(context)))) return ok({ publication, isNew });
  return err(REPLAYED);
};
