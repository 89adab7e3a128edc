// A signed manifest against the tenant it was sent to, in two steps: whose it is and whether it may speak for its
// server, then whether what it says can be published. Everything it needs to know comes in.

import { createHash } from 'node:crypto';
import { ok, type Result } from '#core/result.ts';
import type { McpServer, ServerVersion } from '#core/server.ts';
import { findVersion } from '#core/server.ts';
import { findServer, type Tenant } from '#core/tenant.ts';
import type { CheckUrl } from '#registry/commands/outcome.ts';
import { judgeEndpoints } from '#registry/commands/rules/endpoint-rules.ts';
import type { Finding } from '#registry/manifest/lint/finding.ts';
import { errorsOf, lintManifest } from '#registry/manifest/lint/lint.ts';
import type { KnownTools } from '#registry/manifest/lint/tool-names.ts';
import { type ParsedManifest, parseManifest } from '#registry/manifest/parse-manifest.ts';
import {
  type ManifestFault,
  type ManifestRefusal,
  type ManifestRefusalCode,
  refuse,
} from '#registry/manifest/refusal.ts';
import type { Manifest } from '#registry/manifest/schema/manifest-2.ts';
import { findNotLower } from '#registry/manifest/semantic-version.ts';
import { type DetachedSignature, parseSignatureHeader } from '#registry/manifest/signature-header.ts';
import { type SignatureRules, type Verified, verifySignature } from '#registry/manifest/verify-signature.ts';

export type Submission = {
  readonly bytes: Uint8Array;
  /** Value of X-JWS-Signature. */
  readonly signature: string | undefined;
};

/** A manifest that can be read, whoever it is from. */
export type ReadManifest = ParsedManifest & {
  /** SHA-256 of the bytes, hex. */
  readonly digest: string;
};

export type Authenticated = Verified & ReadManifest & { readonly header: DetachedSignature['header'] };

export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Who published these bytes. Nothing in them is read before their signature was found good. */
export const authenticateManifest = async (
  { bytes, signature }: Submission,
  rules: SignatureRules,
): Promise<Result<Authenticated, ManifestRefusal>> => {
  const parts = parseSignatureHeader(signature);
  if (!parts.ok) return parts;
  const verified = await verifySignature(bytes, parts.value, rules);
  if (!verified.ok) return verified;
  const parsed = parseManifest(bytes);
  if (!parsed.ok) return parsed;
  const { server } = parsed.value.manifest;
  if (!verified.value.publisher.servers.includes(server))
    return refuse('manifest-publisher-not-bound', [
      { pointer: '/server', message: `the publisher of this key may not publish versions of ${server}` },
    ]);
  const { header } = parts.value;
  return ok({ ...verified.value, ...parsed.value, header, digest: digestOf(bytes) });
};

/** What was published of the server before. */
export type PublicationFacts = {
  /** Every version there has ever been, also of a server of this id that was removed. */
  readonly versions: readonly string[];
  /** Digest of the manifest that was published as this version. */
  readonly digestOfVersion: string | undefined;
  /** The signature's `jti` was used before. */
  readonly isReplay: boolean;
};

export type Judgement = {
  readonly findings: readonly Finding[];
  /** In the order in which they are answered; empty: it may be published. */
  readonly refusals: readonly ManifestRefusal[];
};

/** The version a manifest becomes. Its requests (`upstreamAuth`, `health`) and its owner are no part of it. */
export const versionOf = (manifest: Manifest): ServerVersion => {
  const { version, endpoints, transport, protocolVersions, tools } = manifest;
  return { version, endpoints, transport, protocolVersions, tools };
};

export const faultFrom = ({ code, pointer, message }: Finding): ManifestFault => ({ code, pointer, message });

const refusalOf = (code: ManifestRefusalCode, faults: readonly ManifestFault[]): ManifestRefusal[] =>
  faults.length === 0 ? [] : [{ code, faults }];

const judgeAddresses = (
  server: McpServer | undefined,
  version: ServerVersion,
  checkUrl: CheckUrl,
): ManifestFault[] => {
  if (server === undefined) return [{ pointer: '/server', message: 'does not exist' }];
  const egress = version.endpoints.flatMap((endpoint, index) => {
    const checked = checkUrl(endpoint);
    return checked.ok ? [] : [{ pointer: `/endpoints/${index}`, message: checked.error }];
  });
  return [...judgeEndpoints(server, version), ...egress];
};

const judgeVersion = (
  server: McpServer | undefined,
  { manifest, digest }: ReadManifest,
  facts: PublicationFacts,
): ManifestRefusal[] => {
  const { version } = manifest;
  const isThere = server !== undefined && findVersion(server, version) !== undefined;
  if (isThere && facts.digestOfVersion === digest) return [];
  if (isThere && facts.digestOfVersion !== undefined)
    return refusalOf('manifest-version-taken', [
      { pointer: '/version', message: `${version} is published already, by a manifest of other bytes` },
    ]);
  const higher = findNotLower(version, facts.versions);
  return higher === undefined
    ? []
    : refusalOf('manifest-version-not-higher', [
        { pointer: '/version', message: `must be higher than ${higher}, which was published before` },
      ]);
};

/** The same value for the same server: what names are compared by is made once of it. */
const known = new WeakMap<McpServer, KnownTools>();

const toolsOf = (server: McpServer): KnownTools => {
  const tools = known.get(server) ?? {
    serverId: server.id,
    tools: server.versions.flatMap((version) => version.tools.map(({ name }) => name)),
  };
  known.set(server, tools);
  return tools;
};

/** What the tools of a version are held against: those of every other server of the tenant. */
export const toolsOfOthers = (tenant: Tenant, serverId: string): readonly KnownTools[] =>
  tenant.servers.filter(({ id }) => id !== serverId).map(toolsOf);

/** What stands against publishing, and what the admin who approves should know. */
export const judgeManifest = (
  read: ReadManifest,
  world: { readonly tenant: Tenant; readonly facts: PublicationFacts; readonly checkUrl: CheckUrl },
): Judgement => {
  const { manifest } = read;
  const { tenant, facts, checkUrl } = world;
  const server = findServer(tenant, manifest.server);
  const findings = lintManifest(read, toolsOfOthers(tenant, manifest.server));
  const replay = { in: 'header' as const, pointer: '/x-jws-signature/jti', message: 'was used before' };
  return {
    findings,
    refusals: [
      ...refusalOf('signature-replayed', facts.isReplay ? [replay] : []),
      ...refusalOf('manifest-endpoint-not-allowed', judgeAddresses(server, versionOf(manifest), checkUrl)),
      ...judgeVersion(server, read, facts),
      ...refusalOf('manifest-lint-failed', errorsOf(findings).map(faultFrom)),
    ],
  };
};
